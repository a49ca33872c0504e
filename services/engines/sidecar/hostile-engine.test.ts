// Hostile engines, and servers at an engine’s address that are not engines: each gives a clear reason, and loses only its own
// connection. The peers are Node’s own HTTP/2 and bare sockets.
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RouterError } from '../../core/errors.ts';
import { DescribeResponse } from '../../generated/tandem/engine/v1/engine.ts';
import { SidecarEngine } from './sidecar-engine.ts';

type OnStream = (stream: http2.ServerHttp2Stream) => void;

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const context = { deadlineMs: Infinity, signal: new AbortController().signal };
const sockets = new Set<Socket>();
let server: Server;
let engine: SidecarEngine;

afterEach(async () => {
  await engine.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Starts a server and an engine client with its address. */
async function start(listening: Server): Promise<void> {
  server = listening;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  engine = new SidecarEngine('e', `127.0.0.1:${(server.address() as AddressInfo).port}`);
  await engine.start();
}

/** Frames a message of gRPC. */
function framed(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

function describeItself(stream: http2.ServerHttp2Stream): void {
  const description = DescribeResponse.fromPartial({ engineId: 'e', numericsVersion: 1 });
  stream.respond(GRPC, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(framed(DescribeResponse.encode(description).finish()));
}

/** Returns an engine that describes itself correctly and then does what `onInferStream` does. */
function engineThat(onInferStream: OnStream, onDescribe: OnStream = describeItself): Server {
  const peer = http2.createServer();
  peer.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path']?.endsWith('/Describe')) onDescribe(stream);
    else onInferStream(stream);
  });
  peer.on('session', (session) => session.on('error', () => undefined));
  return peer;
}

/** Returns the message of the error that a caller gets. */
async function loss(): Promise<string> {
  return await engine.infer(input, context).then(
    () => 'answered',
    (error: unknown) => (error as RouterError).message,
  );
}

/** Resolves with the reason why the engine was lost, even before the first request. */
async function downReason(): Promise<string> {
  while (engine.description !== undefined) await new Promise((resolve) => setImmediate(resolve));
  return engine.downReason;
}

describe('a server that is not an engine', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    [
      'a web server',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'not an engine: what listens at this address speaks no gRPC; check the address',
    ],
    [
      'an SSH server',
      (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      'not an engine: what listens at this address speaks no gRPC; check the address',
    ],
    [
      'a server that closes every connection',
      (socket) => socket.end(),
      'unreachable: what listens at this address closes every connection',
    ],
  ])('is reported as such: %s', async (_, onSocket, why) => {
    await start(createServer(onSocket));
    expect(engine.downReason).toBe(why);
  });

  it('is reported as such if it only speaks HTTP/2', async () => {
    await start(
      engineThat(
        () => undefined,
        (stream) => {
          stream.respond({ ':status': 404, 'content-type': 'text/html' });
          stream.end('<h1>Not found</h1>');
        },
      ),
    );
    expect(engine.downReason).toMatch(/^not an engine: .*HTTP status 404/);
  });

  it('is reported with its content-type', async () => {
    await start(
      engineThat(
        () => undefined,
        (stream) => {
          stream.respond({ ':status': 200, 'content-type': 'text/html' });
          stream.end('<h1>Hello</h1>');
        },
      ),
    );
    expect(engine.downReason).toContain('content-type "text/html" and is no gRPC server; check the address');
  });
});

describe('an engine is lost, with a clear reason, if it', () => {
  it.each<[string, OnStream, string | RegExp]>([
    [
      'announces a message of 1 GiB',
      (stream) => {
        stream.respond(GRPC);
        stream.write(Buffer.of(0, 0x40, 0, 0, 0));
      },
      /^8 RESOURCE_EXHAUSTED: the message has 1073741824 bytes; at most 16777216 are taken/,
    ],
    [
      'ends the stream without a status',
      (stream) => {
        stream.respond(GRPC);
        stream.end();
      },
      '13 INTERNAL: the server ended the call without a status',
    ],
    [
      'ends the stream with only headers',
      (stream) =>
        stream.respond({ ...GRPC, 'grpc-status': '14', 'grpc-message': 'draining%20now' }, { endStream: true }),
      '14 UNAVAILABLE: draining now',
    ],
    [
      'ends the stream within a message',
      (stream) => {
        stream.respond(GRPC, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.of(0, 0, 0, 0, 9, 1));
      },
      '13 INTERNAL: the server ended the call within a message',
    ],
    [
      'ends the stream with status OK',
      (stream) => stream.respond({ ...GRPC, 'grpc-status': '0' }, { endStream: true }),
      'it closed the stream',
    ],
    [
      'sends a message with an unknown flag',
      (stream) => {
        stream.respond(GRPC);
        stream.write(Buffer.of(7, 0, 0, 0, 0));
      },
      /^13 INTERNAL: the message has flag 7/,
    ],
    ['resets the stream', (stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR), /^13 INTERNAL: .*reset/],
    [
      'sends headers without an end',
      (stream) => stream.respond({ ...GRPC, padding: 'x'.repeat(40_000) }),
      /^13 INTERNAL: .*reset/,
    ],
    [
      'sends bytes that are not HTTP/2 frames',
      () => void [...sockets].at(-1)!.write(Buffer.alloc(64, 0xff)),
      /^it breaks HTTP\/2: a frame has 16777215 bytes/,
    ],
    [
      'ends the connection with an error',
      () => void [...sockets].at(-1)!.end(Buffer.from('00000c0700000000007fffffff0000000b63616c6d', 'hex')),
      'it has ended the connection: calm',
    ],
    [
      'closes the connection',
      () => sockets.forEach((socket) => socket.destroy()),
      'its connection was lost: its process has ended or is stopped, or the network is down',
    ],
  ])('%s', async (_, onInferStream, why) => {
    await start(engineThat(onInferStream));
    const reason = await downReason();
    if (typeof why === 'string') expect(reason).toBe(why);
    else expect(reason).toMatch(why);
    expect(await loss()).toContain('engine "e" is down: ');
  });
});
