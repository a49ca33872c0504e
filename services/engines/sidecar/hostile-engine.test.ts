// What an engine may do to its connection, and what listens at an engine's address and is none: each gives a reason that an
// operator understands, and ends that connection only. The peers are Node's own HTTP/2 and bare sockets.
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

/** Starts the engine at what listens. */
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

/** A message of gRPC. */
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

/** An engine that describes itself, and then does as it likes. */
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

/** Why the engine was lost, as its caller is told. */
async function loss(): Promise<string> {
  return await engine.infer(input, context).then(
    () => 'answered',
    (error: unknown) => (error as RouterError).message,
  );
}

/** Resolves with why the engine was lost, which may be before anything was asked. */
async function downReason(): Promise<string> {
  while (engine.description !== undefined) await new Promise((resolve) => setImmediate(resolve));
  return engine.downReason;
}

describe('what listens at the address of an engine and is none', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    [
      'a web server',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'not an engine: what listens at this address speaks no gRPC; check the address',
    ],
    [
      'a login',
      (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      'not an engine: what listens at this address speaks no gRPC; check the address',
    ],
    [
      'what closes every connection',
      (socket) => socket.end(),
      'unreachable: what listens at this address closes every connection',
    ],
  ])('is told to be none: %s', async (_, onSocket, why) => {
    await start(createServer(onSocket));
    expect(engine.downReason).toBe(why);
  });

  it('is told to be none where it speaks HTTP/2 alone', async () => {
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

  it('is told by its content-type', async () => {
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

describe('an engine is lost, for a reason in plain words, when it', () => {
  it.each<[string, OnStream, string | RegExp]>([
    [
      'announces a message of a gigabyte',
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
      'ends the stream with headers alone',
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
      'ends the stream and says that all is well',
      (stream) => stream.respond({ ...GRPC, 'grpc-status': '0' }, { endStream: true }),
      'it closed the stream',
    ],
    [
      'flags its message in a way that there is not',
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
      'sends bytes that are no frames',
      () => void [...sockets].at(-1)!.write(Buffer.alloc(64, 0xff)),
      /^it breaks HTTP\/2: a frame has 16777215 bytes/,
    ],
    [
      'ends the connection with an error',
      () => void [...sockets].at(-1)!.end(Buffer.from('00000c0700000000007fffffff0000000b63616c6d', 'hex')),
      'it has ended the connection: calm',
    ],
    [
      'is gone',
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
