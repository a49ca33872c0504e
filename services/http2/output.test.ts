import { expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { Output } from './output.ts';

const NOTHING = new Uint8Array(0);

/** A socket that accepts all data, or none. */
class FakeSocket {
  destroyed = false;
  writableLength = 0;
  writableNeedDrain = false;
  takes = true;
  bytesWritten = 0;
  /** The data that the kernel has accepted. */
  taken = '';
  /** The data written since: views of the buffers themselves, not copies. */
  written: Uint8Array[] = [];
  isEnded = false;
  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    if (this.takes) return;
    this.writableLength += bytes.length;
    this.writableNeedDrain = this.writableLength > 60_000;
  }
  drain(): void {
    this.taken = this.text;
    this.written = [];
    this.writableLength = 0;
    this.writableNeedDrain = false;
  }
  cork(): void {}
  uncork(): void {}
  end(): void {
    this.isEnded = true;
  }
  get text(): string {
    return this.taken + Buffer.concat(this.written).toString('latin1');
  }
}

function setUp(): { socket: FakeSocket; output: Output } {
  const socket = new FakeSocket();
  return { socket, output: new Output(socket as unknown as Socket) };
}

const payload = (character: string, length = 1): Buffer => Buffer.alloc(length, character);

test('frames that are added in several microtasks are written in one write', async () => {
  const { socket, output } = setUp();
  output.frame(0, 0, 1, payload('a'), NOTHING);
  await Promise.resolve();
  output.frame(0, 1, 1, payload('b'), payload('p'));
  expect(socket.written).toEqual([]);
  await new Promise(setImmediate);
  expect(socket.written).toHaveLength(1);
  expect(socket.text).toBe('\0\0\x01\0\0\0\0\0\x01a\0\0\x02\0\x01\0\0\0\x01pb');
});

test('held output is written at the release', () => {
  const { socket, output } = setUp();
  output.hold();
  output.frame(0, 0, 1, payload('a'), NOTHING);
  output.release();
  expect(socket.written).toHaveLength(1);
});

test('a long payload is copied', () => {
  const { socket, output } = setUp();
  const long = payload('a', 5_000);
  const before = long.toString();
  output.frame(0, 0, 1, long, NOTHING);
  output.frame(0, 0, 3, payload('b'), NOTHING);
  long.fill('x');
  output.flush();
  expect(socket.text).toBe(`\0\x13\x88\0\0\0\0\0\x01${before}\0\0\x01\0\0\0\0\0\x03b`);
});

test('data that the socket has not yet written is not overwritten', () => {
  const { socket, output } = setUp();
  socket.takes = false;
  let expected = '';
  for (let round = 0; round < 550; round++) {
    const character = String.fromCharCode(33 + (round % 90));
    output.frame(0, 0, 1, payload(character, 1_000), NOTHING);
    expected += `\0\x03\xe8\0\0\0\0\0\x01${character.repeat(1_000)}`;
    output.flush();
    if (round % 55 !== 54) continue;
    socket.drain();
    output.resume();
  }
  expect(socket.text).toBe(expected);
});

test('buffers are reused after a slow socket has written them', () => {
  const { socket, output } = setUp();
  const buffers = new Set<ArrayBufferLike>();
  for (let round = 0; round < 2_000; round++) {
    // As with TLS: a write completes in the next turn.
    socket.takes = false;
    output.frame(0, 0, 1, payload('a', 1_000), NOTHING);
    output.flush();
    buffers.add(socket.written.at(-1)!.buffer);
    socket.drain();
  }
  expect(buffers.size).toBeLessThan(5);
});

test('a full socket gets no data until it has drained', () => {
  const { socket, output } = setUp();
  socket.takes = false;
  for (let k = 0; k < 5; k += 1) output.frame(0, 0, 1, payload('a', 14_000), NOTHING);
  output.flush();
  output.frame(0, 0, 1, payload('b'), NOTHING);
  output.flush();
  expect([output.isBlocked, output.pending, output.unwritten]).toEqual([true, 10, 70_055]);
  socket.drain();
  output.resume();
  expect([output.isBlocked, output.pending, socket.text.endsWith('b')]).toEqual([false, 0, true]);
});

test('output above a limit is written at once', () => {
  const { socket, output } = setUp();
  for (let count = 0; count < 16; count++) output.frame(0, 0, 1, payload('a', 4_000), NOTHING);
  output.relieve();
  expect(socket.written).toEqual([]);
  output.frame(0, 0, 1, payload('a', 4_000), NOTHING);
  output.relieve();
  expect(socket.text).toHaveLength(17 * 4_009);
});

test('end() writes all data, even to a full socket, and nothing after it', () => {
  const { socket, output } = setUp();
  socket.takes = false;
  for (let k = 0; k < 5; k += 1) output.frame(0, 0, 1, payload('a', 14_000), NOTHING);
  output.flush();
  output.frame(0, 0, 1, payload('b'), NOTHING);
  output.end();
  output.frame(0, 0, 1, payload('c'), NOTHING);
  output.flush();
  expect([socket.text.at(-1), socket.isEnded]).toEqual(['b', true]);
});
