// GOAWAY in two steps: no call is lost that the client sent before it received the GOAWAY (RFC 9113, section 6.8).
import { afterEach, expect, test } from '@jest/globals';
import {
  ACK,
  clientUnderTest,
  closeAll,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  Recorder,
  ServerUnderTest,
  uint32,
} from '../../test/support/http2-peer.ts';
import { encodeHeaders } from './hpack-encoder.ts';

afterEach(closeAll);

const ANSWER = encodeHeaders([':status', '200']);
const headers = (id: number): Buffer => frame('HEADERS', END_HEADERS | END_STREAM, id, GET);

test('streams that are open at the GOAWAY are served, then the connection ends', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  await peer.send(headers(1)).settled();
  server.connections[0]!.goaway();
  expect((await peer.goaway()).lastStreamId).toBe(0x7fff_ffff);
  const ping = await peer.until('PING');
  peer.send(headers(3), frame('PING', ACK, 0, ping.payload));
  expect((await peer.goaway()).lastStreamId).toBe(3);
  // Streams that the client opens before it has received the last GOAWAY are refused without an effect.
  peer.send(frame('HEADERS', END_HEADERS, 5, GET), frame('DATA', END_STREAM, 5, Buffer.from('late')));
  expect(await peer.settled()).toMatchObject([{ type: 'RST_STREAM', id: 5, payload: uint32(7) }]);
  expect(server.streams.map(({ id }) => id)).toEqual([1, 3]);
  server.streams[0]!.sendHeaders(ANSWER, true);
  await peer.settled();
  expect(server.reasons).toEqual([]);
  server.streams[1]!.sendHeaders(ANSWER, true);
  expect((await peer.until('HEADERS')).id).toBe(3);
  expect(await peer.next()).toBeUndefined();
  expect(server.reasons).toMatchObject([{ code: 0, by: 'here', text: 'graceful end' }]);
});

test('an idle connection ends as soon as the client has answered the PING', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  server.connections[0]!.goaway();
  const ping = await peer.until('PING');
  peer.send(frame('PING', ACK, 0, ping.payload));
  expect((await peer.goaway()).lastStreamId).toBe(0);
  expect(await peer.next()).toBeUndefined();
});

test('the server waits at most 5 seconds for a client that does not answer', async () => {
  const server = await ServerUnderTest.start();
  const peer = await server.connect();
  server.connections[0]!.goaway();
  server.seconds(6);
  expect((await peer.goaway()).lastStreamId).toBe(0x7fff_ffff);
  expect((await peer.goaway()).lastStreamId).toBe(0);
});

test('a client opens no stream after GOAWAY, and unanswered streams may be retried', async () => {
  const { client, peer, reasons } = await clientUnderTest();
  const recorders = [new Recorder(), new Recorder()];
  for (const recorder of recorders) client.open(GET, recorder, true);
  const received: unknown[] = [];
  client.onGoaway = (...all) => received.push(all);
  await peer.send(frame('GOAWAY', 0, 0, Buffer.concat([uint32(1), uint32(0), Buffer.from('maintenance')]))).settled();
  expect(received).toEqual([[0, 1, 'maintenance']]);
  expect(recorders.map((recorder) => recorder.received)).toEqual([[], ['reset 7']]);
  expect([client.availableStreams, client.open(GET, new Recorder(), true)]).toEqual([0, undefined]);
  peer.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, ANSWER));
  while ((await peer.next()) !== undefined);
  expect(recorders[0]!.received).toEqual(['headers :status 200 end']);
  expect(reasons).toMatchObject([{ by: 'peer', text: 'maintenance' }]);
});
