// Data is sent within the windows of the peer, and only as fast as the peer reads.
import { afterEach, expect, jest, test } from '@jest/globals';
import {
  closeAll,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  type Recorder,
  ServerUnderTest,
  settings,
  uint32,
} from '../../test/support/http2-peer.ts';
import type { Http2Peer } from '../../test/support/http2-peer.ts';
import { encodeHeaders } from './hpack-encoder.ts';
import { ReadTurns } from './read-turns.ts';
import type { Stream } from './types.ts';

afterEach(closeAll);

const INITIAL_WINDOW = 4;
const windowUpdate = (id: number, increment: number): Buffer => frame('WINDOW_UPDATE', 0, id, uint32(increment));

async function open(
  window: number,
  limits = {},
  ids = [1],
): Promise<{ server: ServerUnderTest; peer: Http2Peer; streams: Stream[]; recorders: Recorder[] }> {
  const server = await ServerUnderTest.start(limits);
  const peer = await server.connect(settings([INITIAL_WINDOW, window]));
  await peer.send(...ids.map((id) => frame('HEADERS', END_HEADERS | END_STREAM, id, GET))).settled();
  return { server, peer, streams: server.streams, recorders: server.recorders };
}

const summary = (frames: { type: string; id: number; flags: number; payload: Buffer }[]): string[] =>
  frames.map(
    ({ type, id, flags, payload }) => `${type} ${id} ${payload.toString()}${flags & END_STREAM ? ' end' : ''}`,
  );

test('data waits for the window of its stream, and the handler is notified', async () => {
  const { peer, streams, recorders } = await open(3);
  expect(streams[0]!.sendData(Buffer.from('abcdef'), false)).toBe(false);
  expect(summary(await peer.settled())).toEqual(['DATA 1 abc']);
  expect(recorders[0]!.received).not.toContain('writable');
  expect(summary(await peer.send(windowUpdate(1, 100)).settled())).toEqual(['DATA 1 def']);
  expect(recorders[0]!.received).toContain('writable');
  expect(streams[0]!.sendData(Buffer.from('g'), true)).toBe(true);
  expect(summary(await peer.settled())).toEqual(['DATA 1 g end']);
});

test('SETTINGS that enlarge a window release waiting data', async () => {
  const { peer, streams } = await open(0);
  streams[0]!.sendData(Buffer.from('abc'), true);
  expect(summary(await peer.settled())).toEqual([]);
  expect(summary(await peer.send(settings([INITIAL_WINDOW, 2])).settled())).toEqual(['SETTINGS 0  end', 'DATA 1 ab']);
});

test('a window that SETTINGS made negative must become positive before data is sent', async () => {
  const { peer, streams } = await open(3);
  streams[0]!.sendData(Buffer.from('abcdef'), true);
  await peer.send(settings([INITIAL_WINDOW, 1])).settled();
  // The window is now -2.
  expect(summary(await peer.send(windowUpdate(1, 2)).settled())).toEqual([]);
  expect(summary(await peer.send(windowUpdate(1, 1)).settled())).toEqual(['DATA 1 d']);
});

test('data waits for the window of the connection, and streams take turns', async () => {
  const { peer, streams } = await open(1 << 20, {}, [1, 3]);
  streams[0]!.sendData(Buffer.alloc(65_535), false);
  await peer.settled();
  streams[0]!.sendData(Buffer.from('abc'), true);
  streams[1]!.sendData(Buffer.from('xyz'), true);
  expect(summary(await peer.settled())).toEqual([]);
  expect(summary(await peer.send(windowUpdate(0, 4)).settled())).toEqual(['DATA 1 abc end', 'DATA 3 x']);
});

test('trailers follow the waiting data', async () => {
  const { peer, streams } = await open(1);
  streams[0]!.sendData(Buffer.from('ab'), false);
  streams[0]!.sendTrailers(encodeHeaders(['x', '1']));
  expect(summary(await peer.settled())).toEqual(['DATA 1 a']);
  const frames = await peer.send(windowUpdate(1, 1)).settled();
  expect(frames.map(({ type, flags }) => `${type} ${flags}`)).toEqual(['DATA 0', 'HEADERS 5']);
});

test('waiting data is copied, since the caller may reuse its buffer', async () => {
  const { peer, streams } = await open(0);
  const kept = Buffer.from('abc');
  streams[0]!.sendData(kept, false, kept);
  kept.fill('x');
  expect(summary(await peer.send(windowUpdate(1, 9)).settled())).toEqual(['DATA 1 abcabc']);
});

test('large waiting data is copied', async () => {
  const { peer, streams } = await open(10_000);
  const kept = Buffer.alloc(20_000, 'a');
  streams[0]!.sendData(kept, false);
  kept.fill('x');
  const frames = [...(await peer.settled()), ...(await peer.send(windowUpdate(1, 20_000)).settled())];
  const data = frames.filter(({ type }) => type === 'DATA').map(({ payload }) => payload.toString());
  expect(data.join('')).toBe('a'.repeat(20_000));
});

test('large data is split into frames of 16 KiB', async () => {
  const { peer, streams } = await open(1 << 20);
  const bytes = Buffer.alloc(50_000, 'x');
  streams[0]!.sendData(bytes, true, Buffer.from('prefix'));
  const frames = (await peer.settled()).filter(({ type }) => type === 'DATA');
  expect(Math.max(...frames.map(({ payload }) => payload.length))).toBe(16_384);
  expect(Buffer.concat(frames.map(({ payload }) => payload)).toString()).toBe(`prefix${bytes.toString()}`);
});

test('an empty end needs no window', async () => {
  const { peer, streams } = await open(0);
  streams[0]!.sendData(Buffer.alloc(0), true);
  expect(summary(await peer.settled())).toEqual(['DATA 1  end']);
});

test('a reset drops unsent data', async () => {
  const { server, peer, streams } = await open(0);
  streams[0]!.sendData(Buffer.alloc(1_000), true);
  expect(server.connections[0]!.bytesHeld).toBeGreaterThanOrEqual(1_000);
  streams[0]!.reset(8);
  const frames = await peer.settled();
  expect(frames).toMatchObject([{ type: 'RST_STREAM', payload: uint32(8) }]);
  expect(server.connections[0]!.bytesHeld).toBeLessThan(1_000);
});

test('headers larger than a frame continue in CONTINUATION frames', async () => {
  const { peer, streams } = await open(0);
  streams[0]!.sendHeaders(encodeHeaders([':status', '200', 'x', 'y'.repeat(40_000)]), true);
  const frames = await peer.settled();
  expect(frames.map(({ type }) => type)).toEqual(['HEADERS', 'CONTINUATION', 'CONTINUATION', 'CONTINUATION']);
  expect(frames.map(({ flags }) => flags)).toEqual([END_STREAM, 0, 0, END_HEADERS]);
});

test('the peer’s window grows only by consumed bytes', async () => {
  const { server, peer } = await open(0, { streamWindowBytes: 100, connectionWindowBytes: 65_535 });
  peer.send(frame('HEADERS', END_HEADERS, 3, GET), frame('DATA', 0, 3, Buffer.alloc(60)));
  expect(await peer.settled()).toEqual([]);
  expect(server.connections[0]!.bytesHeld).toBeGreaterThanOrEqual(60);
  server.streams[1]!.consume(49);
  expect(await peer.settled()).toEqual([]);
  server.streams[1]!.consume(1_000);
  expect(await peer.settled()).toMatchObject([{ type: 'WINDOW_UPDATE', id: 3, payload: uint32(60) }]);
});

test('unconsumed data of an ended stream does not block other streams', async () => {
  const { server, peer } = await open(0, { connectionWindowBytes: 65_535 });
  peer.send(frame('HEADERS', END_HEADERS, 3, GET));
  for (let sent = 0; sent < 3; sent++) peer.send(frame('DATA', 0, 3, Buffer.alloc(16_384)));
  await peer.settled();
  server.streams[1]!.reset(8);
  const frames = await peer.settled();
  expect(frames.map(({ type, id }) => `${type} ${id}`).sort()).toEqual(['RST_STREAM 3', 'WINDOW_UPDATE 0']);
});

test('an answer that fills the socket waits until the peer reads, and arrives complete', async () => {
  const { peer, streams, recorders } = await open(0x7fff_ffff);
  peer.socket.pause();
  await new Promise<void>((resolve) => peer.socket.write(windowUpdate(0, 0x7fff_ffff - 65_535), () => resolve()));
  const bytes = Buffer.alloc(1 << 20, 'x');
  while (streams[0]!.sendData(bytes.subarray(0, 65_536), false)) await new Promise(setImmediate);
  expect(streams[0]!.sendData(bytes, true)).toBe(false);
  peer.socket.resume();
  const frames = await peer.settled();
  expect(frames.at(-1)!.flags).toBe(END_STREAM);
  expect(recorders[0]!.received).toHaveLength(1);
});

test('a connection with much data pauses regularly, so that others can read', async () => {
  const ids = Array.from({ length: 8 }, (_, at) => 2 * at + 1);
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  const pause = jest.spyOn(server.connections[0]!.socket, 'pause');
  const block = encodeHeaders([':method', 'POST', ':scheme', 'http', ':path', '/']);
  const frames = ids.map((id) => frame('HEADERS', END_HEADERS, id, block));
  const piece = new Uint8Array(16_384);
  for (let sent = 0; sent < 1 << 20; sent += piece.length) {
    frames.push(...ids.map((id) => frame('DATA', 0, id, piece)));
  }
  await peer.send(...frames).settled();
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual((ids.length << 20) / 327_680); // 256 KiB plus a chunk of 64 KiB
  const pieces = server.recorders.flatMap(({ received }) => received.filter((text) => text.startsWith('data ')));
  expect(pieces).toHaveLength((ids.length << 20) / piece.length);
});

test('connections of two owners are read in parts, and nothing is lost', async () => {
  // Each reading of the clock advances it by 0.1 ms.
  let nowMs = 0;
  const turns = new ReadTurns({
    now: () => (nowMs += 0.1),
    afterOthers: (run) => void setImmediate(run),
    after: () => () => undefined,
  });
  const server = await ServerUnderTest.start({ turns });
  const peers = [await server.connect(), await server.connect()];
  const pauses = server.connections.map((connection, at) => {
    connection.owner = `owner ${at}`;
    return jest.spyOn(connection.socket, 'pause');
  });
  const block = encodeHeaders([':method', 'POST', ':scheme', 'http', ':path', '/']);
  const piece = new Uint8Array(1_000);
  const frames = Array.from({ length: 200 }, (_, at) => [
    frame('HEADERS', END_HEADERS, 2 * at + 1, block),
    frame('DATA', END_STREAM, 2 * at + 1, piece),
  ]).flat();
  for (const peer of peers) peer.send(...frames);
  for (const peer of peers) await peer.settled();
  expect(server.recorders).toHaveLength(400);
  for (const { received } of server.recorders)
    expect(received.filter((text) => text.startsWith('data '))).toHaveLength(1);
  expect(pauses.map(({ mock }) => mock.calls.length > 5)).toEqual([true, true]);
});

test('a paused connection is read when its pause ends', async () => {
  let nowMs = 0;
  const { promise: resting, resolve: rests } = Promise.withResolvers<() => void>();
  const after = (_ms: number, wake: () => void): (() => void) => {
    rests(wake);
    return () => undefined;
  };
  const turns = new ReadTurns({ now: () => nowMs, afterOthers: (run) => void setImmediate(run), after });
  const server = await ServerUnderTest.start({ turns });
  const peer = await server.connect();
  server.connections[0]!.pacer = { restsUntilMs: 100, discarded: () => undefined };
  peer.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, GET));
  const wake = await resting;
  expect(server.recorders).toHaveLength(0);
  nowMs = 100;
  wake();
  await peer.settled();
  expect(server.recorders).toHaveLength(1);
});

test('data for a stream that was reset is reported to the pacer', async () => {
  const { server, peer, streams } = await open(100);
  const discarded: number[] = [];
  server.connections[0]!.pacer = { restsUntilMs: 0, discarded: (bytes) => void discarded.push(bytes) };
  const id = 3;
  await peer
    .send(frame('HEADERS', END_HEADERS, id, encodeHeaders([':method', 'POST', ':scheme', 'http', ':path', '/'])))
    .settled();
  streams[1]!.reset(0);
  await peer.send(frame('DATA', 0, id, new Uint8Array(1_000))).settled();
  expect(discarded).toEqual([1_000]);
});
