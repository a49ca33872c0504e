// A flood of frames that are cheap to send ends the connection before it costs much. Each flood has one test.
import { afterEach, expect, test } from '@jest/globals';
import {
  ACK,
  closeAll,
  END_HEADERS,
  END_STREAM,
  frame,
  PADDED,
  ServerUnderTest,
  settings,
  uint32,
} from '../../test/support/http2-peer.ts';
import { encodeHeaders } from './hpack-encoder.ts';
import { MemoryBudget } from './memory-budget.ts';

afterEach(closeAll);

const ENHANCE_YOUR_CALM = 11;
const BLOCK = encodeHeaders([':method', 'POST', ':scheme', 'http', ':path', '/']);
const headers = (id: number, flags = END_HEADERS): Buffer => frame('HEADERS', flags, id, BLOCK);
const reset = (id: number): Buffer => frame('RST_STREAM', 0, id, uint32(8));
const windowUpdate = (id: number, increment: number): Buffer => frame('WINDOW_UPDATE', 0, id, uint32(increment));
const times = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
const rapidResets = (count: number, from = 0): Buffer =>
  times(count, (index) => Buffer.concat([headers(2 * (from + index) + 1), reset(2 * (from + index) + 1)]));

test.each<[string, string, Buffer]>([
  ['rapid resets (CVE-2023-44487)', 'resets', rapidResets(5_001)],
  [
    'resets that the server is made to send (CVE-2025-8671)',
    'resets',
    times(5_001, (index) => Buffer.concat([headers(2 * index + 1), windowUpdate(2 * index + 1, 0)])),
  ],
  [
    'malformed requests',
    'resets',
    times(5_001, (index) => frame('HEADERS', END_HEADERS, 2 * index + 1, encodeHeaders([':method', 'GET']))),
  ],
  ['streams above the limit', 'resets', times(6_002, (index) => headers(2 * index + 1))],
  [
    'references to one large field (CVE-2016-6581)',
    'header lists',
    Buffer.concat([
      frame('HEADERS', END_HEADERS, 1, Buffer.concat([Buffer.from('4001617fa11e', 'hex'), Buffer.alloc(4_000, 'x')])),
      frame('HEADERS', END_HEADERS, 3, Buffer.alloc(16_384, 0xbe)),
    ]),
  ],
  ['PINGs', 'pings', times(1_001, () => frame('PING', 0, 0, Buffer.alloc(8)))],
  ['answers to PINGs that were not sent', 'pings', times(1_001, () => frame('PING', ACK, 0, Buffer.alloc(8)))],
  ['SETTINGS', 'settings', times(101, () => settings())],
  ['acknowledgements of SETTINGS', 'settings', times(101, () => frame('SETTINGS', ACK, 0))],
  ['PRIORITY', 'ignored frames', times(10_001, () => frame('PRIORITY', 0, 3, [0, 0, 0, 1, 0]))],
  ['unknown frames', 'ignored frames', times(10_001, () => frame(0xfa, 0, 0))],
  [
    'RST_STREAM for streams that have ended',
    'ignored frames',
    Buffer.concat([headers(1), times(10_005, () => reset(1))]),
  ],
  ['WINDOW_UPDATE', 'window updates', times(10_001, () => windowUpdate(0, 1))],
  ['empty DATA', 'empty data frames', Buffer.concat([headers(1), times(1_001, () => frame('DATA', 0, 1))])],
  [
    'DATA with padding only',
    'empty data frames',
    Buffer.concat([headers(1), times(1_001, () => frame('DATA', PADDED, 1, [1, 0]))]),
  ],
  [
    'empty CONTINUATIONs',
    'continuations',
    Buffer.concat([headers(1, 0), times(33, () => frame('CONTINUATION', 0, 1))]),
  ],
  [
    'endless CONTINUATION frames (CVE-2024-27316)',
    'continuations',
    Buffer.concat([headers(1, 0), times(5, () => frame('CONTINUATION', 0, 1, Buffer.alloc(16_384)))]),
  ],
])('a flood of %s ends the connection', async (_name, budget, bytes) => {
  const server = await ServerUnderTest.start({ maxConcurrentStreams: 1_000 });
  const peer = await server.connect();
  const goaway = await peer.send(bytes).goaway();
  expect(goaway.code).toBe(ENHANCE_YOUR_CALM);
  expect(server.reasons).toMatchObject([{ code: ENHANCE_YOUR_CALM, by: 'here', budget, text: goaway.text }]);
});

test('a client with expired deadlines may reset 500 calls a second without end', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  for (let second = 0; second < 30; second++) {
    await peer.send(rapidResets(500, 500 * second)).settled();
    server.seconds(1);
  }
  expect(server.reasons).toEqual([]);
});

test('a client may send a PING for each received DATA frame', async () => {
  const server = await ServerUnderTest.start({ keepaliveSeconds: 0 });
  const peer = await server.connect();
  peer.send(headers(1));
  await peer.settled();
  server.streams[0]!.sendHeaders(encodeHeaders([':status', '200']), false);
  for (let round = 0; round < 3_000; round++) {
    server.streams[0]!.sendData(Buffer.of(1), false);
    if (round % 100 === 0) await peer.settled();
    peer.send(frame('PING', 0, 0, Buffer.alloc(8)), windowUpdate(0, 1), windowUpdate(1, 1));
  }
  await peer.settled();
  expect(server.reasons).toEqual([]);
});

test('a client that does not read the answers to its PINGs is closed', async () => {
  const server = await ServerUnderTest.start({ maxUnreadBytes: 10_000, budgets: unlimited() });
  const peer = await server.connect();
  peer.socket.pause();
  const pings = times(10_000, () => frame('PING', 0, 0, Buffer.alloc(8)));
  while (server.reasons.length === 0) {
    peer.socket.write(pings);
    await new Promise(setImmediate);
  }
  expect(server.reasons).toMatchObject([{ code: ENHANCE_YOUR_CALM, budget: 'unread answers' }]);
  expect(server.connections[0]!.bytesHeld).toBe(0);
});

test('a stream is reset if its unsent data exceeds the limit', async () => {
  const server = await ServerUnderTest.start({ maxQueuedBytes: 1_000_000 });
  const peer = await server.connect();
  await peer.send(headers(1, END_HEADERS | END_STREAM)).settled();
  server.streams[0]!.sendData(Buffer.alloc(2_000_000), true);
  const frame = await peer.until('RST_STREAM');
  expect(frame.payload).toEqual(uint32(ENHANCE_YOUR_CALM));
  expect(server.recorders[0]!.received.at(-1)).toBe('reset 11');
  expect(server.connections[0]!.bytesHeld).toBeLessThan(100_000);
});

test('the connection with the most memory is closed if all together exceed the limit', async () => {
  const server = await ServerUnderTest.start({ memory: new MemoryBudget(3_000_000) });
  const peers = [await server.connect(), await server.connect()];
  for (const peer of peers) await peer.send(headers(1, END_HEADERS | END_STREAM)).settled();
  server.streams[0]!.sendData(Buffer.alloc(1_000_000), true);
  server.streams[1]!.sendData(Buffer.alloc(2_500_000), true);
  expect((await peers[1]!.goaway()).text).toMatch(/all connections hold more than 3000000 bytes together/);
  expect(server.reasons).toMatchObject([{ budget: 'memory' }]);
});

function unlimited() {
  const rate = { burst: Infinity, perSecond: 0 };
  return { resets: rate, pings: rate, settings: rate, windowUpdates: rate, emptyData: rate, ignored: rate };
}
