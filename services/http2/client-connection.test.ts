// Tests how a client handles the frames of a server.
import { afterEach, expect, test } from '@jest/globals';
import {
  clientUnderTest,
  closeAll,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  Recorder,
  settings,
  uint32,
} from '../../test/support/http2-peer.ts';
import { encodeHeaders } from './hpack-encoder.ts';

afterEach(closeAll);

const headers = (id: number, fields: string[], flags = END_HEADERS): Buffer =>
  frame('HEADERS', flags, id, encodeHeaders(fields));
const OK = [':status', '200'];

async function opened() {
  const recorder = new Recorder();
  const all = await clientUnderTest();
  const stream = all.client.open(GET, recorder, true)!;
  await all.peer.settled();
  return { ...all, recorder, stream };
}

test('a response is delivered in order, without informational responses', async () => {
  const { peer, recorder, stream } = await opened();
  peer.send(headers(1, [':status', '103']), headers(1, OK), frame('DATA', 0, 1, Buffer.from('abc')));
  await peer.send(headers(1, ['x', '1'], END_HEADERS | END_STREAM)).settled();
  expect(recorder.received).toEqual(['headers :status 200', 'data abc', 'trailers x 1']);
  expect(stream.isOpen).toBe(false);
});

test('streams are opened with odd ids up to the limit of the server', async () => {
  const { client, peer } = await clientUnderTest({}, settings([3, 2]));
  const ids = [1, 2, 3].map(() => client.open(GET, new Recorder(), true)?.id);
  expect(ids).toEqual([1, 3, undefined]);
  let calls = 0;
  client.onAvailable = () => calls++;
  await peer.send(headers(1, OK, END_HEADERS | END_STREAM)).settled();
  expect([calls, client.availableStreams]).toEqual([1, 1]);
});

test('the first block of a connection sets the table size to 0', async () => {
  const { client, peer } = await clientUnderTest();
  client.open(GET, new Recorder(), true);
  client.open(GET, new Recorder(), true);
  const [first, second] = await peer.settled();
  expect([first!.payload, second!.payload]).toEqual([Buffer.concat([Buffer.of(0x20), GET]), GET]);
});

test.each<[string, Buffer]>([
  ['a response without :status', headers(1, ['x', '1'])],
  ['a response with :path', headers(1, [...OK, ':path', '/'])],
  ['DATA before HEADERS', frame('DATA', 0, 1, Buffer.from('x'))],
  ['an informational response that ends the stream', headers(1, [':status', '100'], END_HEADERS | END_STREAM)],
  ['DATA beyond content-length', Buffer.concat([headers(1, [...OK, 'content-length', '0']), frame('DATA', 0, 1, [1])])],
])('%s ends the stream', async (_name, bytes) => {
  const { peer, recorder } = await opened();
  expect(await peer.send(bytes).settled()).toMatchObject([{ type: 'RST_STREAM', id: 1, payload: uint32(1) }]);
  expect(recorder.received.at(-1)).toBe('reset 1');
});

test.each<[string, Buffer]>([
  ['PUSH_PROMISE', frame('PUSH_PROMISE', END_HEADERS, 1, [0, 0, 0, 2, ...encodeHeaders(OK)])],
  ['HEADERS on a stream that was never opened', headers(3, OK)],
  ['HEADERS on an even stream', headers(2, OK)],
  ['SETTINGS_ENABLE_PUSH of 1', settings([2, 1])],
])('%s ends the connection', async (_name, bytes) => {
  const { peer, recorder, reasons } = await opened();
  expect((await peer.send(bytes).goaway()).code).toBe(1);
  expect(reasons).toMatchObject([{ code: 1, by: 'here' }]);
  expect(recorder.received.at(-1)).toMatch(/reset 1|headers :status 200 end/);
});

test('frames of a stream that this side has reset are not an error', async () => {
  const { peer, stream, recorder } = await opened();
  stream.reset(8);
  await peer.until('RST_STREAM');
  peer.send(headers(1, OK), frame('DATA', 0, 1, Buffer.from('x')), headers(1, ['x', '1'], END_HEADERS | END_STREAM));
  expect(await peer.settled()).toEqual([]);
  expect(recorder.received).toEqual([]);
});

test('the handler gets the code of the server’s reset', async () => {
  const { peer, recorder } = await opened();
  await peer.send(frame('RST_STREAM', 0, 1, uint32(7))).settled();
  expect(recorder.received).toEqual(['reset 7']);
});

test('streams and pings end when the server closes the connection', async () => {
  const { client, peer, recorder, reasons } = await opened();
  const pings: unknown[] = [];
  client.ping((roundTripMs) => pings.push(roundTripMs));
  peer.socket.destroy();
  await new Promise((resolve) => client.socket.once('close', resolve));
  client.ping((roundTripMs) => pings.push(roundTripMs));
  expect([recorder.received, pings]).toEqual([['reset 10'], [undefined, undefined]]);
  expect(reasons).toHaveLength(1);
});

test('a ping measures the round trip', async () => {
  const { client, peer } = await opened();
  const roundTrip = new Promise<number | undefined>((resolve) => client.ping(resolve));
  const { payload } = await peer.until('PING');
  peer.send(frame('PING', 1, 0, payload), frame('PING', 1, 0, Buffer.alloc(8)));
  expect(await roundTrip).toBeGreaterThan(0);
});

test('a connection is idle when no stream is open and all is written', async () => {
  const { client, peer } = await opened();
  expect(client.isIdle).toBe(false);
  await peer.send(headers(1, OK, END_HEADERS | END_STREAM)).settled();
  expect(client.isIdle).toBe(true);
});

test('a reset with NO_ERROR after a complete response is not an error', async () => {
  const { client, peer } = await clientUnderTest();
  const recorder = new Recorder();
  const stream = client.open(GET, recorder, false)!;
  peer.send(headers(1, OK, END_HEADERS | END_STREAM), frame('RST_STREAM', 0, 1, uint32(0)));
  expect((await peer.settled()).map(({ type }) => type)).toEqual(['HEADERS']);
  expect([recorder.received, stream.isOpen]).toEqual([['headers :status 200 end'], false]);
});

test('a server may reset any number of streams', async () => {
  const { client, peer, reasons } = await clientUnderTest({}, settings([3, 10_000]));
  for (let count = 0; count < 6_000; count++) client.open(GET, new Recorder(), true);
  for (let id = 1; id < 12_000; id += 2) peer.send(frame('RST_STREAM', 0, id, uint32(7)));
  await peer.settled();
  expect([client.openStreams, reasons]).toEqual([0, []]);
});

test('a limited number of HEADERS of ended streams is ignored', async () => {
  const { peer } = await opened();
  await peer.send(headers(1, OK, END_HEADERS | END_STREAM), headers(1, OK)).settled();
  for (let count = 0; count < 10_100; count++) peer.send(headers(1, OK));
  expect((await peer.goaway()).code).toBe(11);
});
