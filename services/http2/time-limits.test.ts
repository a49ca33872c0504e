// A peer that exceeds a time limit loses the stream or the connection. The test calls the ticks; each is a second.
import { afterEach, expect, test } from '@jest/globals';
import {
  ACK,
  clientUnderTest,
  closeAll,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  PREFACE,
  Recorder,
  ServerUnderTest,
  settings,
  uint32,
} from '../../test/support/http2-peer.ts';

afterEach(closeAll);

const headers = (id: number, flags = END_HEADERS | END_STREAM): Buffer => frame('HEADERS', flags, id, GET);

test.each([
  ['nothing', ''],
  ['a part of the preface', PREFACE.slice(0, 10)],
  ['the preface without SETTINGS', PREFACE],
])('a client that sends %s is closed after 10 seconds', async (_name, text) => {
  const server = await ServerUnderTest.start();
  const peer = server.dial().send(text);
  while (server.connections.length === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  server.seconds(10);
  expect(server.reasons).toEqual([]);
  server.seconds(1);
  expect((await peer.goaway()).text).toBe('no preface and SETTINGS within 10 seconds');
  expect(server.reasons).toMatchObject([{ code: 4, budget: 'preface' }]);
});

test('a header block that is not completed ends the connection after 10 seconds', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  peer.send(headers(1, 0));
  while (!(server.connections[0] as unknown as { isInHeaderBlock: boolean }).isInHeaderBlock) {
    await new Promise(setImmediate);
  }
  server.seconds(10);
  expect(server.reasons).toEqual([]);
  server.seconds(1);
  expect(server.reasons).toMatchObject([{ code: 11, budget: 'half headers' }]);
});

test('a client that does not read an answer loses only that stream, after 30 seconds', async () => {
  const server = await ServerUnderTest.start({ keepaliveSeconds: 0 });
  const peer = await server.connect(settings([4, 0]));
  await peer.send(headers(1), headers(3)).settled();
  server.streams[0]!.sendData(Buffer.alloc(5_000), true);
  server.seconds(30);
  expect(await peer.settled()).toEqual([]);
  server.streams[1]!.sendData(Buffer.from('x'), true);
  server.seconds(1);
  expect(await peer.settled()).toMatchObject([{ type: 'RST_STREAM', id: 1, payload: uint32(11) }]);
  expect(server.recorders.map(({ received }) => received.at(-1))).toEqual([
    'reset 11',
    expect.stringMatching(/^headers/),
  ]);
});

test('a connection on which the client reads nothing is closed after 30 seconds', async () => {
  const server = await ServerUnderTest.start({ keepaliveSeconds: 0 });
  const peer = await server.connect(settings([4, 0x7fff_ffff]), frame('WINDOW_UPDATE', 0, 0, uint32(0x7000_0000)));
  await peer.send(headers(1)).settled();
  peer.socket.pause();
  while (server.streams[0]!.sendData(Buffer.alloc(65_536), false)) await new Promise(setImmediate);
  await new Promise(setImmediate);
  server.seconds(1);
  server.seconds(29);
  expect(server.reasons).toEqual([]);
  server.seconds(3);
  expect(server.reasons).toMatchObject([{ code: 11, budget: 'unread answers' }]);
  expect(server.recorders[0]!.received.at(-1)).toBe('reset 11');
});

test('a silent peer gets a PING, and its connection is closed if it does not answer', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  server.seconds(61);
  expect((await peer.next())?.type).toBe('PING');
  server.seconds(19);
  expect(server.reasons).toEqual([]);
  server.seconds(1);
  expect(server.reasons).toMatchObject([{ budget: 'keepalive' }]);
});

test('a silent peer that answers its PING stays connected', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  for (let round = 0; round < 3; round++) {
    server.seconds(61);
    const { payload } = await peer.until('PING');
    await peer.send(frame('PING', ACK, 0, payload)).settled();
  }
  server.seconds(30);
  expect(server.reasons).toEqual([]);
});

test('a client sends no PING by default', async () => {
  const { client, peer, ticker } = await clientUnderTest();
  client.open(GET, new Recorder(), true);
  await peer.until('HEADERS');
  for (let second = 0; second < 1_000; second++) ticker.tick();
  expect(await peer.settled()).toEqual([]);
});

test('a client without streams sends no PING if keepaliveWithoutStreams is false', async () => {
  const { client, peer, ticker } = await clientUnderTest({ keepaliveSeconds: 60, keepaliveWithoutStreams: false });
  for (let second = 0; second < 200; second++) ticker.tick();
  expect(await peer.settled()).toEqual([]);
  client.open(GET, new Recorder(), true);
  await peer.until('HEADERS');
  for (let second = 0; second < 61; second++) ticker.tick();
  expect((await peer.settled()).map(({ type }) => type)).toEqual(['PING']);
});

test('a closed connection is destroyed after 2 seconds if the peer does not close it', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  const [connection] = server.connections;
  peer.socket.pause();
  connection!.close();
  server.seconds(2);
  expect(connection!.socket.destroyed).toBe(false);
  server.seconds(1);
  expect(connection!.socket.destroyed).toBe(true);
});
