// Tests how a server handles the frames of a client: RFC 9113, section by section.
import { afterEach, expect, test } from '@jest/globals';
import {
  ACK,
  closeAll,
  END_HEADERS,
  END_STREAM,
  frame,
  type Http2Peer,
  PADDED,
  PREFACE,
  Recorder,
  ServerUnderTest,
  settings,
  uint32,
} from '../../test/support/http2-peer.ts';
import { ErrorCode } from './error-codes.ts';
import { encodeHeaders } from './hpack-encoder.ts';

afterEach(closeAll);

const REQUEST = [':method', 'POST', ':scheme', 'http', ':path', '/echo'];
const BLOCK = encodeHeaders(REQUEST);
const headers = (id: number, flags = END_HEADERS, block: Uint8Array = BLOCK): Buffer =>
  frame('HEADERS', flags, id, block);
const data = (id: number, text: string, flags = 0): Buffer => frame('DATA', flags, id, Buffer.from(text));
const reset = (id: number, code: number = ErrorCode.CANCEL): Buffer => frame('RST_STREAM', 0, id, uint32(code));
const priority = (id: number, on: number): Buffer =>
  frame('PRIORITY', 0, id, Buffer.concat([uint32(on), Buffer.of(1)]));
const withFields = (...fields: string[]): Buffer => encodeHeaders([...REQUEST, ...fields]);

async function connect(): Promise<{ server: ServerUnderTest; peer: Http2Peer }> {
  const server = await ServerUnderTest.start();
  return { server, peer: await server.connect() };
}

test('a server first sends its SETTINGS and its acknowledgement', async () => {
  const server = await ServerUnderTest.start({ maxConcurrentStreams: 7 });
  const peer = server.dial().send(PREFACE, settings());
  const frames = await peer.settled();
  expect(frames.map(({ type, flags }) => `${type} ${flags}`)).toEqual(['SETTINGS 0', 'WINDOW_UPDATE 0', 'SETTINGS 1']);
  expect(frames[0]!.payload.subarray(0, 6)).toEqual(Buffer.from([0, 3, 0, 0, 0, 7]));
});

test('a request is delivered, and its answer arrives', async () => {
  const { server, peer } = await connect();
  peer.send(headers(1), data(1, 'ping'), data(1, '', END_STREAM));
  await peer.settled();
  expect(server.recorders[0]!.received).toEqual([
    'headers :method POST :scheme http :path /echo',
    'data ping',
    'data  end',
  ]);
  const [stream] = server.streams;
  stream!.sendHeaders(encodeHeaders([':status', '200']), false);
  stream!.sendData(Buffer.from('pong'), false, Buffer.from('> '));
  stream!.sendTrailers(encodeHeaders(['x', '1']));
  const frames = await peer.settled();
  expect(frames.map(({ type, flags }) => `${type} ${flags}`)).toEqual(['HEADERS 4', 'DATA 0', 'HEADERS 5']);
  expect(frames[1]!.payload.toString()).toBe('> pong');
  expect([stream!.isOpen, server.connections[0]!.openStreams]).toEqual([false, 0]);
});

test('trailers are delivered', async () => {
  const { server, peer } = await connect();
  peer.send(headers(1), headers(1, END_HEADERS | END_STREAM, encodeHeaders(['x', '1'])));
  await peer.settled();
  expect(server.recorders[0]!.received[1]).toBe('trailers x 1');
});

test('padding and priority are removed', async () => {
  const { server, peer } = await connect();
  const padded = Buffer.concat([Buffer.of(2), uint32(0), Buffer.of(9), BLOCK, Buffer.alloc(2)]);
  peer.send(frame('HEADERS', END_HEADERS | PADDED | 0x20, 1, padded));
  peer.send(frame('DATA', PADDED | END_STREAM, 1, Buffer.from('\x03abc\0\0\0')));
  await peer.settled();
  expect(server.recorders[0]!.received).toEqual(['headers :method POST :scheme http :path /echo', 'data abc end']);
});

test('a header block may arrive in pieces', async () => {
  const { server, peer } = await connect();
  peer.send(headers(1, END_STREAM, BLOCK.subarray(0, 3)), frame('CONTINUATION', 0, 1, BLOCK.subarray(3, 5)));
  peer.send(frame('CONTINUATION', END_HEADERS, 1, BLOCK.subarray(5)));
  await peer.settled();
  expect(server.recorders[0]!.received).toEqual(['headers :method POST :scheme http :path /echo end']);
});

test('an answer before the end of the request stops the request without an error', async () => {
  const { server, peer } = await connect();
  peer.send(headers(1));
  await peer.settled();
  server.streams[0]!.sendHeaders(encodeHeaders([':status', '200']), true);
  const frames = await peer.settled();
  expect(frames.map(({ type }) => type)).toEqual(['HEADERS', 'RST_STREAM']);
  expect(frames[1]!.payload).toEqual(uint32(ErrorCode.NO_ERROR));
  // Frames that the client sent before the reset are not an error.
  peer.send(data(1, 'late'), headers(1, END_HEADERS | END_STREAM, encodeHeaders(['x', '1'])), reset(1));
  expect(await peer.settled()).toEqual([]);
});

test('the handler gets a reset of the peer once, and later sends have no effect', async () => {
  const { server, peer } = await connect();
  peer.send(headers(1), reset(1), reset(1));
  await peer.settled();
  expect(server.recorders[0]!.received.slice(1)).toEqual(['reset 8']);
  server.streams[0]!.sendHeaders(encodeHeaders([':status', '200']), false);
  server.streams[0]!.sendData(Buffer.from('x'), true);
  expect(await peer.settled()).toEqual([]);
});

test('PRIORITY and unknown frames are ignored', async () => {
  const { peer } = await connect();
  peer.send(priority(3, 1), frame(0xfa, 0xff, 1, [1, 2, 3]), frame(0xfb, 0, 0));
  expect(await peer.settled()).toEqual([]);
});

test('a stream above the limit is refused and may be retried', async () => {
  const server = await ServerUnderTest.start({ maxConcurrentStreams: 2 });
  const peer = await server.connect();
  peer.send(headers(1), headers(3), headers(5));
  const frames = await peer.settled();
  expect(frames).toMatchObject([{ type: 'RST_STREAM', id: 5, payload: uint32(ErrorCode.REFUSED_STREAM) }]);
  peer.send(reset(1), headers(7));
  expect(await peer.settled()).toEqual([]);
});

test('a header list above the limit is answered with 431, and the connection stays open', async () => {
  const server = await ServerUnderTest.start({ maxHeaderListBytes: 1_000 });
  const peer = await server.connect();
  peer.send(headers(1, END_HEADERS | END_STREAM, withFields('x', 'y'.repeat(1_000))), headers(3));
  const frames = await peer.settled();
  expect(frames).toMatchObject([{ type: 'HEADERS', id: 1, flags: END_HEADERS | END_STREAM }]);
  expect(server.streams.map(({ id }) => id)).toEqual([3]);
});

test.each<[string, Buffer, number]>([
  ['DATA beyond content-length', Buffer.concat([headers(1, 4, withFields('content-length', '2')), data(1, 'abc')]), 1],
  [
    'less DATA than content-length',
    Buffer.concat([headers(1, 4, withFields('content-length', '2')), data(1, 'a', END_STREAM)]),
    1,
  ],
  ['content-length without DATA', headers(1, END_HEADERS | END_STREAM, withFields('content-length', '2')), 1],
  [
    'trailers before all bytes of content-length have arrived',
    Buffer.concat([headers(1, 4, withFields('content-length', '2')), headers(1, 5, encodeHeaders(['x', '1']))]),
    1,
  ],
  ['no :path', headers(1, END_HEADERS, encodeHeaders([':method', 'GET', ':scheme', 'http'])), 1],
  ['te other than trailers', headers(1, END_HEADERS, withFields('te', 'gzip')), 1],
  ['trailers that do not end the stream', Buffer.concat([headers(1), headers(1)]), 1],
  [
    'pseudo-headers in trailers',
    Buffer.concat([headers(1), headers(1, END_HEADERS | END_STREAM, encodeHeaders([':path', '/']))]),
    1,
  ],
  ['DATA after END_STREAM', Buffer.concat([headers(1, END_HEADERS | END_STREAM), data(1, 'x')]), 5],
  ['HEADERS after END_STREAM', Buffer.concat([headers(1, END_HEADERS | END_STREAM), headers(1, 5)]), 5],
  ['WINDOW_UPDATE of 0', Buffer.concat([headers(1), frame('WINDOW_UPDATE', 0, 1, uint32(0))]), 1],
  [
    'WINDOW_UPDATE beyond the largest window',
    Buffer.concat([headers(1), frame('WINDOW_UPDATE', 0, 1, uint32(0x7fff_ffff))]),
    3,
  ],
])('%s ends the stream only', async (_name, bytes, code) => {
  const { server, peer } = await connect();
  const frames = await peer.send(bytes).settled();
  expect(frames).toMatchObject([{ type: 'RST_STREAM', id: 1, payload: uint32(code) }]);
  for (const { received } of server.recorders) expect(received.at(-1)).toBe(`reset ${code}`);
  expect(await peer.send(headers(3)).settled()).toEqual([]);
});

test('DATA on a stream that the peer has reset ends with STREAM_CLOSED', async () => {
  const { peer } = await connect();
  const frames = await peer.send(headers(1), reset(1), data(1, 'x')).settled();
  expect(frames).toMatchObject([{ type: 'RST_STREAM', id: 1, payload: uint32(ErrorCode.STREAM_CLOSED) }]);
});

test.each<[string, Buffer, number]>([
  ['DATA without a stream', data(0, 'x'), 1],
  ['DATA on a stream that was never opened', data(1, 'x'), 1],
  ['DATA whose padding is longer than the frame', Buffer.concat([headers(1), frame('DATA', PADDED, 1, [9, 1])]), 1],
  ['padded DATA without the length of its padding', Buffer.concat([headers(1), frame('DATA', PADDED, 1)]), 6],
  ['HEADERS without a stream', headers(0), 1],
  ['HEADERS on an even stream', headers(2), 1],
  ['HEADERS on a lower stream', Buffer.concat([headers(5), headers(3)]), 5],
  ['HEADERS on a stream that the peer has reset', Buffer.concat([headers(1), reset(1), headers(1)]), 5],
  ['HEADERS whose padding is longer than the frame', frame('HEADERS', END_HEADERS | PADDED, 1, [9, 1]), 1],
  ['HEADERS that are too short for their priority', frame('HEADERS', END_HEADERS | 0x20, 1, [0, 0]), 6],
  ['HEADERS that depend on themselves', frame('HEADERS', END_HEADERS | 0x20, 1, [0, 0, 0, 1, 0, ...BLOCK]), 1],
  ['a header block that cannot be decoded', headers(1, END_HEADERS, Buffer.of(0x80)), 9],
  ['another frame within a header block', Buffer.concat([headers(1, 0), frame('PING', 0, 0, Buffer.alloc(8))]), 1],
  ['an unknown frame within a header block', Buffer.concat([headers(1, 0), frame(0xfa, 0, 1)]), 1],
  ['CONTINUATION of another stream', Buffer.concat([headers(1, 0), frame('CONTINUATION', END_HEADERS, 3)]), 1],
  ['CONTINUATION without HEADERS', frame('CONTINUATION', END_HEADERS, 1), 1],
  ['CONTINUATION after END_HEADERS', Buffer.concat([headers(1), frame('CONTINUATION', END_HEADERS, 1)]), 1],
  ['PRIORITY without a stream', priority(0, 1), 1],
  ['PRIORITY of 4 bytes', frame('PRIORITY', 0, 1, [0, 0, 0, 0]), 6],
  ['PRIORITY that depends on itself', priority(1, 1), 1],
  ['RST_STREAM without a stream', reset(0), 1],
  ['RST_STREAM on a stream that was never opened', reset(1), 1],
  ['RST_STREAM of 3 bytes', Buffer.concat([headers(1), frame('RST_STREAM', 0, 1, [0, 0, 0])]), 6],
  ['SETTINGS on a stream', frame('SETTINGS', 0, 1), 1],
  ['SETTINGS of 5 bytes', frame('SETTINGS', 0, 0, [0, 0, 0, 0, 0]), 6],
  ['SETTINGS acknowledged with a payload', frame('SETTINGS', ACK, 0, [0, 1, 0, 0, 0, 0]), 6],
  ['SETTINGS_ENABLE_PUSH of 2', settings([2, 2]), 1],
  ['SETTINGS_INITIAL_WINDOW_SIZE of 2^31', settings([4, 0x8000_0000]), 3],
  ['SETTINGS_MAX_FRAME_SIZE of 16383', settings([5, 16_383]), 1],
  ['SETTINGS_MAX_FRAME_SIZE of 2^24', settings([5, 16_777_216]), 1],
  [
    'SETTINGS_INITIAL_WINDOW_SIZE that makes a window too large',
    Buffer.concat([headers(1), frame('WINDOW_UPDATE', 0, 1, uint32(0x7fff_ffff - 65_535)), settings([4, 65_536])]),
    3,
  ],
  ['PUSH_PROMISE', frame('PUSH_PROMISE', END_HEADERS, 1, [0, 0, 0, 2, ...BLOCK]), 1],
  ['PING on a stream', frame('PING', 0, 1, Buffer.alloc(8)), 1],
  ['PING of 7 bytes', frame('PING', 0, 0, Buffer.alloc(7)), 6],
  ['GOAWAY on a stream', frame('GOAWAY', 0, 1, Buffer.alloc(8)), 1],
  ['GOAWAY of 7 bytes', frame('GOAWAY', 0, 0, Buffer.alloc(7)), 6],
  ['WINDOW_UPDATE of 3 bytes', frame('WINDOW_UPDATE', 0, 0, [0, 0, 1]), 6],
  ['WINDOW_UPDATE of 0 for the connection', frame('WINDOW_UPDATE', 0, 0, uint32(0)), 1],
  ['WINDOW_UPDATE beyond the largest window of the connection', frame('WINDOW_UPDATE', 0, 0, uint32(0x7fff_ffff)), 3],
  ['WINDOW_UPDATE on a stream that was never opened', frame('WINDOW_UPDATE', 0, 1, uint32(1)), 1],
  ['a frame of 16385 bytes', Buffer.concat([headers(1), frame('DATA', 0, 1, Buffer.alloc(16_385))]), 6],
])('%s ends the connection', async (_name, bytes, code) => {
  const { server, peer } = await connect();
  const goaway = await peer.send(bytes).goaway();
  expect(goaway.code).toBe(code);
  expect(await peer.next()).toBeUndefined();
  expect(server.reasons).toMatchObject([{ code, by: 'here', text: goaway.text, budget: undefined }]);
  for (const { received } of server.recorders) expect(received.at(-1)).toMatch(/^reset|end$/);
});

test('DATA beyond the window of the connection ends it', async () => {
  const server = await ServerUnderTest.start({ connectionWindowBytes: 65_535, streamWindowBytes: 1 << 20 });
  const peer = await server.connect();
  peer.send(headers(1));
  for (let sent = 0; sent <= 65_535; sent += 16_384) peer.send(frame('DATA', 0, 1, Buffer.alloc(16_384)));
  expect((await peer.goaway()).code).toBe(ErrorCode.FLOW_CONTROL_ERROR);
});

test('DATA beyond the window of a stream ends it, and the window of the connection is restored', async () => {
  const server = await ServerUnderTest.start({ connectionWindowBytes: 65_535, streamWindowBytes: 20_000 });
  const peer = await server.connect();
  peer.send(headers(1), frame('DATA', 0, 1, Buffer.alloc(16_384)), frame('DATA', 0, 1, Buffer.alloc(16_384)));
  const frames = await peer.settled();
  expect(frames).toMatchObject([
    { type: 'RST_STREAM', id: 1, payload: uint32(ErrorCode.FLOW_CONTROL_ERROR) },
    { type: 'WINDOW_UPDATE', id: 0, payload: uint32(32_768) },
  ]);
});

test.each([
  ['a first frame other than SETTINGS', `${PREFACE}\0\0\0\x06\0\0\0\0\0`],
  ['an acknowledgement before SETTINGS', `${PREFACE}\0\0\0\x04\x01\0\0\0\0`],
  ['an invalid preface', 'PRI * HTTP/3.0\r\n\r\n'],
])('%s ends the connection', async (_name, text) => {
  const server = await ServerUnderTest.start();
  expect((await server.dial().send(text).goaway()).code).toBe(ErrorCode.PROTOCOL_ERROR);
});

test('the preface may arrive byte by byte', async () => {
  const server = await ServerUnderTest.start();
  const peer = server.dial();
  for (const character of PREFACE) {
    peer.send(character);
    await new Promise(setImmediate);
  }
  expect((await peer.send(settings()).next())?.type).toBe('SETTINGS');
});

test('an HTTP/1.1 client gets an HTTP/1.1 answer', async () => {
  const server = await ServerUnderTest.start({ http1Answer: 'this port speaks gRPC over HTTP/2\n' });
  const text = await server.dial().send('POST /a HTTP/1.1\r\nhost: x\r\n\r\n').text();
  expect(text).toMatch(
    /^HTTP\/1.1 400 Bad Request\r\n.*connection: close\r\n.*\r\n\r\nthis port speaks gRPC over HTTP\/2\n$/s,
  );
});

test('a handler that throws ends only its own connection', async () => {
  const server = await ServerUnderTest.start({}, () => {
    throw new Error('a bug');
  });
  const peer = await server.connect();
  const { code, text } = await peer.send(headers(1)).goaway();
  expect([code, text]).toEqual([ErrorCode.INTERNAL_ERROR, 'a handler has thrown: Error: a bug']);
});

test('streams are reset when the client closes the connection', async () => {
  const { server, peer } = await connect();
  peer.send(headers(1));
  await peer.settled();
  peer.socket.end();
  while ((await peer.next()) !== undefined);
  expect(server.recorders[0]!.received.at(-1)).toBe(`reset ${ErrorCode.CONNECT_ERROR}`);
  expect(server.reasons).toMatchObject([{ code: 0, by: 'peer', text: 'the peer has closed the connection' }]);
});

test('the reason in the GOAWAY of a client is reported', async () => {
  const { server, peer } = await connect();
  const payload = Buffer.concat([uint32(0), uint32(ErrorCode.INTERNAL_ERROR), Buffer.from('I am broken')]);
  peer.send(frame('GOAWAY', 0, 0, payload));
  while ((await peer.next()) !== undefined);
  expect(server.reasons).toMatchObject([{ code: 2, by: 'peer', text: 'I am broken' }]);
});

test('all streams are reset at the end, even if a handler throws', async () => {
  const received: number[] = [];
  const server = await ServerUnderTest.start({}, (stream) => {
    const recorder = new Recorder();
    recorder.onReset = () => {
      received.push(stream.id);
      throw new Error('a bug');
    };
    return recorder;
  });
  const peer = await server.connect();
  await peer.send(headers(1), headers(3)).settled();
  server.connections[0]!.close(ErrorCode.NO_ERROR, 'enough');
  expect(received).toEqual([1, 3]);
  expect(server.reasons).toMatchObject([{ text: 'enough; a handler has thrown: Error: a bug' }]);
});

test('answers before the end arrive even if the client reads late', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect(settings([4, 0x7fff_ffff]), frame('WINDOW_UPDATE', 0, 0, uint32(0x7000_0000)));
  await peer.send(headers(1, END_HEADERS | END_STREAM), headers(3, END_HEADERS | END_STREAM)).settled();
  peer.socket.pause();
  const [first, second] = server.streams;
  while (first!.sendData(Buffer.alloc(65_536), false)) await new Promise(setImmediate);
  // The socket accepts no more data.
  second!.sendHeaders(encodeHeaders([':status', '204']), true);
  server.connections[0]!.close();
  server.seconds(10);
  peer.socket.resume();
  expect((await peer.until('HEADERS')).id).toBe(3);
  expect((await peer.goaway()).code).toBe(ErrorCode.NO_ERROR);
});

test('a GOAWAY before the first frame of the client follows SETTINGS', async () => {
  const server = await ServerUnderTest.start();
  const peer = server.dial();
  while (server.connections.length === 0) await new Promise(setImmediate);
  server.connections[0]!.goaway();
  expect((await peer.next())?.type).toBe('SETTINGS');
  expect((await peer.goaway()).lastStreamId).toBe(0x7fff_ffff);
});
