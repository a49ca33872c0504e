import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectTo } from '../support/connect-to.ts';
import { unusedSocket } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { CorruptingLink, type CorruptionOptions } from './corrupting-link.ts';

const CHUNK = Buffer.alloc(1_000);

/** A fake engine. */
let server: Server;
let address: string;
let received: Buffer;
let links: CorruptingLink[];

beforeEach(async () => {
  received = Buffer.alloc(0);
  links = [];
  address = unusedSocket();
  server = createServer((socket) => socket.on('data', (chunk) => (received = Buffer.concat([received, chunk]))));
  server.listen(address.slice('unix:'.length));
  await once(server, 'listening');
});

afterEach(() => {
  for (const link of links) link.stop();
  server.close();
});

/** The bytes that the engine gets of `count` chunks, one after the other. */
async function send(count: number, over: Partial<CorruptionOptions>): Promise<Buffer> {
  const link = await new CorruptingLink(address, { seed: 1, toEngine: 0, toRouter: 0, ...over }).start();
  links.push(link);
  received = Buffer.alloc(0);
  const socket: Socket = connectTo(link.address);
  for (let sent = 1; sent <= count; sent += 1) {
    socket.write(CHUNK);
    await until(() => received.length === sent * CHUNK.length, { what: 'the chunk' });
  }
  socket.destroy();
  return received;
}

function flippedBits(bytes: Uint8Array): number {
  let bits = 0;
  for (const byte of bytes) for (let bit = 0; bit < 8; bit += 1) bits += (byte >> bit) & 1;
  return bits;
}

describe('a corrupting link', () => {
  it('passes everything on unchanged with a share of 0', async () => {
    expect(flippedBits(await send(20, {}))).toBe(0);
    expect(links[0]).toMatchObject({ chunks: 20, corrupted: 0, connections: 1 });
  });

  it('flips one to three bits of a chunk, and keeps its length', async () => {
    const bytes = await send(20, { toEngine: 1 });
    expect(bytes).toHaveLength(20 * CHUNK.length);
    for (let at = 0; at < bytes.length; at += CHUNK.length) {
      const bits = flippedBits(bytes.subarray(at, at + CHUNK.length));
      expect([1, 2, 3]).toContain(bits);
    }
  });

  it('flips the same bits with the same seed', async () => {
    const [one, two, other] = [
      await send(10, { toEngine: 0.5, seed: 3 }),
      await send(10, { toEngine: 0.5, seed: 3 }),
      await send(10, { toEngine: 0.5, seed: 4 }),
    ];
    expect(two).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it('ends the connection on both sides when one side ends', async () => {
    const link = await new CorruptingLink(address, { seed: 1, toEngine: 0, toRouter: 0 }).start();
    links.push(link);
    const socket = connectTo(link.address);
    const [engineSide] = (await once(server, 'connection')) as [Socket];
    const closed = once(socket, 'close');
    engineSide.destroy();
    await closed;
  });
});
