// Tests the client against a grpc-js server.
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http2';
import { type Server as NetServer, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import type { ClientCall, ClientMethod } from './client-call.ts';
import { type ClientOptions, GrpcClient } from './client.ts';
import { Metadata } from './metadata.ts';
import { Code, type Status, type StatusError } from './status.ts';

const TLS = join(import.meta.dirname, '../../test/data/tls');
const same = (bytes: Buffer): Buffer => bytes;
const method = (name: string): ClientMethod<Buffer, Buffer> => ({ path: `/t.T/${name}`, encode: same, decode: same });
const [ECHO, CHAT] = [method('Echo'), method('Chat')];

let server: grpc.Server;
let client: GrpcClient;
let onEcho: grpc.handleUnaryCall<Buffer, Buffer>;
let onChat: grpc.handleBidiStreamingCall<Buffer, Buffer>;

beforeEach(async () => {
  onEcho = ({ request }, reply) => reply(null, request);
  onChat = (call) => {
    call.on('data', (message: Buffer) => call.write(message));
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };
  client = await GrpcClient.connect(`127.0.0.1:${await serve('127.0.0.1:0')}`);
});

afterEach(() => {
  client.close();
  server.forceShutdown();
});

function serve(address: string, credentials = grpc.ServerCredentials.createInsecure()): Promise<number> {
  const plain = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server = new grpc.Server();
  server.addService(
    {
      echo: { path: ECHO.path, requestStream: false, responseStream: false, ...plain },
      chat: { path: CHAT.path, requestStream: true, responseStream: true, ...plain },
    },
    {
      echo: ((call, reply) => onEcho(call, reply)) as typeof onEcho,
      chat: ((call) => onChat(call)) as typeof onChat,
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

/** Resolves to the error that the call rejects with. */
async function errorOf(call: Promise<unknown>): Promise<StatusError> {
  return await call.then(
    () => Promise.reject(new Error('it was answered')),
    (error: unknown) => error as StatusError,
  );
}

interface Chat {
  readonly messages: string[];
  readonly ended: Promise<Status>;
  readonly call: ClientCall<Buffer, Buffer>;
}

function chat(options = {}): Chat {
  const { promise: ended, resolve } = Promise.withResolvers<Status>();
  const messages: string[] = [];
  const listener = { onMessage: (message: Buffer) => void messages.push(String(message)), onStatus: resolve };
  return { messages, ended, call: client.call(CHAT, listener, options) };
}

describe('GrpcClient.unary', () => {
  it('resolves to the answer', async () => {
    expect(String(await client.unary(ECHO, Buffer.from('x')))).toBe('x');
  });

  it('sends and receives large messages', async () => {
    const large = Buffer.alloc(3_000_000, 5);
    expect((await client.unary(ECHO, large)).equals(large)).toBe(true);
  });

  it('rejects with the status, text and metadata of the server', async () => {
    const details = Buffer.from([9, 255]);
    onEcho = (_call, reply) => {
      const metadata = new grpc.Metadata();
      metadata.set('grpc-status-details-bin', details);
      reply({ code: grpc.status.NOT_FOUND, details: 'nicht da: 100 % ☹', metadata });
    };
    const error = await errorOf(client.unary(ECHO, Buffer.alloc(0)));
    expect([error.code, error.message]).toEqual([Code.NOT_FOUND, 'nicht da: 100 % ☹']);
    expect(error.metadata!.getBinary('grpc-status-details-bin')).toEqual([details]);
  });

  it('sends text and binary metadata', async () => {
    let got: grpc.Metadata | undefined;
    onEcho = ({ metadata, request }, reply) => {
      got = metadata;
      reply(null, request);
    };
    const metadata = Metadata.of({ 'x-text': 'a', 'x-data-bin': Buffer.from([1, 2]) });
    await client.unary(ECHO, Buffer.alloc(0), { metadata });
    expect([got!.get('x-text'), got!.get('x-data-bin')]).toEqual([['a'], [Buffer.from([1, 2])]]);
  });

  it('ends with DEADLINE_EXCEEDED after its timeout and sends it to the server', async () => {
    let leftMs = 0;
    onEcho = (call) => void (leftMs = Number(call.getDeadline()) - Date.now());
    const error = await errorOf(client.unary(ECHO, Buffer.alloc(0), { timeoutMs: 60 }));
    expect([error.code, leftMs > 0, leftMs <= 60]).toEqual([Code.DEADLINE_EXCEEDED, true, true]);
  });

  it('ends with CANCELLED when its signal is aborted, and the server is notified', async () => {
    const controller = new AbortController();
    let isCancelled = false;
    onEcho = (call) => {
      call.on('cancelled', () => (isCancelled = true));
      controller.abort();
    };
    const error = await errorOf(client.unary(ECHO, Buffer.alloc(0), { signal: controller.signal }));
    expect(error.code).toBe(Code.CANCELLED);
    await until(() => isCancelled, { what: 'the server to hear' });
  });

  it('compresses the request if an encoding is set', async () => {
    const text = Buffer.from('again and '.repeat(500));
    expect((await client.unary(ECHO, text, { encoding: 'gzip' })).equals(text)).toBe(true);
  });

  it('rejects if the request cannot be encoded or the answer decoded', async () => {
    const fail = (): never => {
      throw new Error('no such field');
    };
    expect(await errorOf(client.unary({ ...ECHO, encode: fail }, Buffer.alloc(0)))).toMatchObject({
      code: Code.INTERNAL,
      message: 'the request cannot be encoded (no such field)',
    });
    expect(await errorOf(client.unary({ ...ECHO, decode: fail }, Buffer.alloc(0)))).toMatchObject({
      code: Code.INTERNAL,
      message: expect.stringMatching(/the answer cannot be decoded \(no such field\)/) as unknown,
    });
  });
});

describe('GrpcClient.call', () => {
  it('sends and receives in turn, and ends with the status of the server', async () => {
    const { call, messages, ended } = chat();
    call.send(Buffer.from('a'));
    await until(() => messages.length === 1, { what: 'a' });
    call.send(Buffer.from('b'));
    call.end();
    expect([(await ended).code, messages]).toEqual([Code.OK, ['a', 'b']]);
  });

  it('receives every message before the end after a pause', async () => {
    onChat = (call) => {
      for (let k = 0; k < 50; k += 1) call.write(Buffer.from(String(k)));
      call.end();
    };
    const { call, messages, ended } = chat();
    call.pause();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(messages).toEqual([]);
    call.resume();
    expect([(await ended).code, messages.length]).toEqual([Code.OK, 50]);
  });

  it('ends with CANCELLED when its caller cancels it', async () => {
    let isCancelled = false;
    onChat = (call) => void call.on('cancelled', () => (isCancelled = true)).on('error', () => undefined);
    const { call, ended } = chat();
    call.send(Buffer.from('a'));
    setTimeout(() => call.cancel(), 20);
    expect((await ended).code).toBe(Code.CANCELLED);
    await until(() => isCancelled, { what: 'the server to hear' });
  });
});

describe('GrpcClient.connect', () => {
  it('connects over a Unix socket', async () => {
    server.forceShutdown();
    const address = `unix:${join(mkdtempSync(join(tmpdir(), 'grpc-client-')), 's.sock')}`;
    await serve(address);
    client = await GrpcClient.connect(address);
    expect(String(await client.unary(ECHO, Buffer.from('x')))).toBe('x');
  });

  it('connects over TLS', async () => {
    server.forceShutdown();
    const [key, certificate] = [readFileSync(join(TLS, 'localhost.key')), readFileSync(join(TLS, 'localhost.pem'))];
    const credentials = grpc.ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: certificate }]);
    const port = await serve('127.0.0.1:0', credentials);
    client = await GrpcClient.connect(`localhost:${port}`, { tls: { ca: certificate } });
    expect(String(await client.unary(ECHO, Buffer.from('x')))).toBe('x');
  });

  it('answers pings', async () => {
    expect(await client.ping()).toBeGreaterThan(0);
  });

  it('rejects if the connection is refused', async () => {
    const free = await bind(() => undefined);
    const port = portOf(free);
    free.close();
    const error = await errorOf(GrpcClient.connect(`127.0.0.1:${port}`));
    expect(error).toMatchObject({ code: Code.UNAVAILABLE, message: expect.stringMatching(/ECONNREFUSED/) as unknown });
  });

  it('rejects if there is no connection within the timeout', async () => {
    let accepted: Socket | undefined;
    const silent = await bind((socket) => (accepted = socket));
    const options: ClientOptions = { tls: {}, connectTimeoutMs: 50 };
    const error = await errorOf(GrpcClient.connect(`localhost:${portOf(silent)}`, options));
    expect(error.message).toBe('cannot connect: no connection within 50 ms');
    accepted?.destroy();
    silent.close();
  });

  it('ends open and later calls with the reason if the connection is lost', async () => {
    let peer: Socket | undefined;
    const relay = await bind((socket) => (peer = socket));
    client = await GrpcClient.connect(`127.0.0.1:${portOf(relay)}`);
    const why: string[] = [];
    client.onLost = ({ message }) => why.push(message);
    const [unary, { ended }] = [errorOf(client.unary(ECHO, Buffer.alloc(0))), chat()];
    await until(() => peer !== undefined, { what: 'the connection' });
    peer!.destroy();
    const text = expect.stringMatching(/^the connection was lost: /) as unknown;
    expect([await unary, await ended]).toMatchObject([
      { code: Code.UNAVAILABLE, message: text },
      { code: Code.UNAVAILABLE, message: text },
    ]);
    expect(await errorOf(client.unary(ECHO, Buffer.alloc(0)))).toMatchObject({ code: Code.UNAVAILABLE, message: text });
    expect(why).toEqual([text]);
    relay.close();
  });

  it('names an HTTP server that is not a gRPC server', async () => {
    const http = createHttpServer((_request, response) => void response.writeHead(404).end('not here'));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    client = await GrpcClient.connect(`127.0.0.1:${portOf(http)}`);
    expect(await errorOf(client.unary(ECHO, Buffer.alloc(0)))).toMatchObject({
      code: Code.UNIMPLEMENTED,
      message: 'what listens there answers with HTTP status 404 and is no gRPC server; check the address',
    });
    client.close();
    http.close();
  });

  it('accepts answers up to the limit', async () => {
    server.forceShutdown();
    const small = await GrpcClient.connect(`127.0.0.1:${await serve('127.0.0.1:0')}`, { maxMessageBytes: 1_000 });
    expect((await small.unary(ECHO, Buffer.alloc(1_000))).length).toBe(1_000);
    expect((await errorOf(small.unary(ECHO, Buffer.alloc(1_001)))).code).toBe(Code.RESOURCE_EXHAUSTED);
    small.close();
  });
});

async function bind(onSocket: (socket: Socket) => void): Promise<NetServer> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return listening;
}

const portOf = (listening: { address(): unknown }): number => (listening.address() as { port: number }).port;
