import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import * as http2 from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientConnections } from './connections.ts';

let connections: ClientConnections;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  connections = new ClientConnections();
});

afterEach(() => {
  connections.stop();
  for (const close of closing.splice(0)) close();
});

async function listening<S extends Server | http2.Http2Server>(server: S, path?: string): Promise<S> {
  server.listen(path ?? { port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  closing.push(() => server.close());
  return server;
}

function portOf(server: Server | http2.Http2Server): number {
  return (server.address() as AddressInfo).port;
}

/** Resolves when the server has accepted the connection. */
async function client(server: Server, target: number | string): Promise<{ ours: Socket; theirs: Socket }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const ours = typeof target === 'string' ? connect(target) : connect(target, '127.0.0.1');
  const [theirs] = await accepted;
  closing.push(() => ours.destroy());
  return { ours, theirs };
}

describe('client connections', () => {
  it('are counted as open and in total', async () => {
    const server = await listening(createServer());
    connections.listen(`127.0.0.1:${portOf(server)}`);
    await client(server, portOf(server));
    const second = await client(server, portOf(server));
    expect([connections.open, connections.total]).toEqual([2, 2]);
    second.ours.destroy();
    second.theirs.resume();
    await once(second.theirs, 'close');
    expect([connections.open, connections.total]).toEqual([1, 2]);
  });

  it('of other servers of the process are not counted', async () => {
    const [ours, another] = [await listening(createServer()), await listening(createServer())];
    connections.listen(`127.0.0.1:${portOf(ours)}`);
    await client(another, portOf(another));
    expect(connections.total).toBe(0);
  });

  it('of HTTP/2 servers are counted, as grpc-js uses them', async () => {
    const server = await listening(http2.createServer());
    connections.listen(`127.0.0.1:${portOf(server)}`);
    const session = http2.connect(`http://127.0.0.1:${portOf(server)}`);
    const [theirs] = (await once(server, 'session')) as [http2.ServerHttp2Session];
    expect(connections.open).toBe(1);
    session.destroy();
    await once(theirs, 'close');
    expect(connections.open).toBe(0);
  });

  it('of a Unix socket are counted, and those of ports are not', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tandem-')), 'router.sock');
    const [unix, tcp] = [await listening(createServer(), path), await listening(createServer())];
    connections.listen(`unix:${path}`);
    await client(unix, path);
    await client(tcp, portOf(tcp));
    expect([connections.open, connections.total]).toEqual([1, 1]);
  });

  it('are not counted after stop()', async () => {
    const server = await listening(createServer());
    connections.listen(`127.0.0.1:${portOf(server)}`);
    connections.stop();
    await client(server, portOf(server));
    expect(connections.total).toBe(0);
  });
});
