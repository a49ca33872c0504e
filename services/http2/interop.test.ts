// Tests both roles against the HTTP/2 of Node, in clear text and over TLS.
import { afterEach, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import tls from 'node:tls';
import { ClientConnection } from './client-connection.ts';
import { encodeHeaders } from './hpack-encoder.ts';
import { ServerConnection } from './server-connection.ts';
import type { Headers, Stream, StreamHandler } from './types.ts';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

const OK = encodeHeaders([':status', '200']);

/** Answers with what it receives, as fast as the peer reads. */
class Echo implements StreamHandler {
  readonly #stream: Stream;
  readonly #kept: Buffer[] = [];
  #hasEnded: boolean;
  constructor(stream: Stream, endStream: boolean) {
    this.#stream = stream;
    this.#hasEnded = endStream;
    stream.sendHeaders(OK, false);
    this.onWritable();
  }
  onHeaders(): void {}
  onTrailers(): void {}
  onReset(): void {}
  onData(chunk: Buffer, endStream: boolean): void {
    this.#kept.push(Buffer.from(chunk));
    this.#hasEnded = endStream;
    this.onWritable();
  }
  onWritable(): void {
    for (let isWritable = true; isWritable && this.#kept.length > 0;) {
      const chunk = this.#kept.shift()!;
      this.#stream.consume(chunk.length);
      isWritable = this.#stream.sendData(chunk, false);
    }
    if (this.#kept.length === 0 && this.#hasEnded) this.#stream.sendTrailers(encodeHeaders(['x-end', '1']));
  }
}

/** Destroys the socket after the test. */
function kept<S extends net.Socket>(socket: S): S {
  closers.push(() => socket.destroy());
  return socket;
}

async function ourServer(): Promise<number> {
  const server = net.createServer((socket) => {
    kept(socket);
    new ServerConnection(socket, (stream, _headers, endStream) => new Echo(stream, endStream), {
      streamWindowBytes: 65_535,
    });
  });
  closers.push(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function nodeClient(): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://127.0.0.1:${await ourServer()}`);
  closers.push(() => session.destroy());
  await once(session, 'connect');
  return session;
}

async function echoOverNode(session: http2.ClientHttp2Session, body: Buffer): Promise<Buffer> {
  const request = session.request({ ':method': 'POST', ':path': '/echo', te: 'trailers' });
  request.end(body);
  return buffer(request);
}

const bodyOf = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251));

test.each([0, 1, 16_384, 3_000_000])(
  'the client of Node gets a body of %i bytes back from our server',
  async (bytes) => {
    const session = await nodeClient();
    const body = bodyOf(bytes);
    expect((await echoOverNode(session, body)).equals(body)).toBe(true);
  },
);

test('the client of Node gets trailers from our server', async () => {
  const session = await nodeClient();
  const request = session.request({ ':method': 'POST' });
  request.end();
  const [trailers] = (await once(request.resume(), 'trailers')) as [http2.IncomingHttpHeaders];
  expect(trailers['x-end']).toBe('1');
});

test('the client of Node has 200 parallel streams with our server', async () => {
  const session = await nodeClient();
  const bodies = Array.from({ length: 200 }, (_, index) => bodyOf(index * 300));
  const answers = await Promise.all(bodies.map((body) => echoOverNode(session, body)));
  expect(answers.every((answer, index) => answer.equals(bodies[index]!))).toBe(true);
});

test('the client of Node resets a stream of our server, pings it and closes the connection', async () => {
  const session = await nodeClient();
  const request = session.request({ ':method': 'POST' });
  request.on('error', () => undefined);
  await once(request, 'response');
  request.close(http2.constants.NGHTTP2_CANCEL);
  await once(request, 'close');
  const acknowledged = new Promise<Error | null>((resolve) => session.ping(resolve));
  expect(await acknowledged).toBeNull();
  session.close();
  await once(session, 'close');
});

class Body implements StreamHandler {
  readonly done = Promise.withResolvers<{ headers: Headers; body: Buffer; trailers: readonly string[] }>();
  stream: Stream | undefined;
  #headers: Headers | undefined;
  readonly #chunks: Buffer[] = [];
  onHeaders(headers: Headers, endStream: boolean): void {
    this.#headers = headers;
    if (endStream) this.#finish([]);
  }
  onData(chunk: Buffer, endStream: boolean): void {
    this.#chunks.push(Buffer.from(chunk));
    this.stream!.consume(chunk.length);
    if (endStream) this.#finish([]);
  }
  onTrailers(headers: Headers): void {
    this.#finish(headers.list);
  }
  onReset(code: number): void {
    this.done.reject(new Error(`reset ${code}`));
  }
  onWritable(): void {}
  #finish(trailers: readonly string[]): void {
    this.done.resolve({ headers: this.#headers!, body: Buffer.concat(this.#chunks), trailers });
  }
}

async function nodeServer(): Promise<{ port: number; server: http2.Http2Server }> {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path'] === '/reset') {
      stream.close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    stream.respond({ ':status': 200, 'x-path': headers[':path'] }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': '1' }));
    stream.pipe(stream);
  });
  closers.push(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

function request(client: ClientConnection, path: string, body: Buffer): Body['done']['promise'] {
  const handler = new Body();
  const block = encodeHeaders([':method', 'POST', ':scheme', 'http', ':path', path, ':authority', 'a']);
  handler.stream = client.open(block, handler, false)!;
  handler.stream.sendData(body, true);
  return handler.done.promise;
}

test.each([0, 1, 16_384, 3_000_000])(
  'our client gets a body of %i bytes back from the server of Node',
  async (bytes) => {
    const { port } = await nodeServer();
    const client = new ClientConnection(kept(net.connect(port, '127.0.0.1')), { streamWindowBytes: 65_535 });
    const body = bodyOf(bytes);
    const answer = await request(client, '/echo', body);
    expect(answer.body.equals(body)).toBe(true);
    expect([answer.headers.get('x-path'), answer.trailers]).toEqual(['/echo', ['x-end', '1']]);
  },
);

test('our client has 100 parallel streams with the server of Node', async () => {
  const { port } = await nodeServer();
  const client = new ClientConnection(kept(net.connect(port, '127.0.0.1')));
  const bodies = Array.from({ length: 100 }, (_, index) => bodyOf(index * 300));
  const answers = await Promise.all(bodies.map((body) => request(client, '/echo', body)));
  expect(answers.every(({ body }, index) => body.equals(bodies[index]!))).toBe(true);
});

test('our client handles the reset, ping and GOAWAY of the server of Node', async () => {
  const { port, server } = await nodeServer();
  const session = once(server, 'session') as Promise<[http2.ServerHttp2Session]>;
  const client = new ClientConnection(kept(net.connect(port, '127.0.0.1')));
  await expect(request(client, '/reset', Buffer.alloc(0))).rejects.toThrow('reset 11');
  const [serverSession] = await session;
  expect(await new Promise<Error | null>((resolve) => serverSession.ping(resolve))).toBeNull();
  expect(await new Promise<number | undefined>((resolve) => client.ping(resolve))).toBeGreaterThan(0);
  const closed = new Promise((resolve) => (client.onClosed = resolve));
  serverSession.close();
  expect(await closed).toMatchObject({ by: 'peer', code: 0 });
});

/** A self-signed certificate for localhost. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'http2-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('both clients get a large body back from our server over TLS', async () => {
  const { key, cert } = certificate();
  const server = tls.createServer({ key, cert, ALPNProtocols: ['h2'] }, (socket) => {
    kept(socket);
    new ServerConnection(socket, (stream, _headers, endStream) => new Echo(stream, endStream));
  });
  closers.push(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const body = bodyOf(1_000_000);
  const session = http2.connect(`https://localhost:${port}`, { ca: cert, lookup: toLoopback });
  closers.push(() => session.destroy());
  expect((await echoOverNode(session, body)).equals(body)).toBe(true);
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: cert, ALPNProtocols: ['h2'] });
  const client = new ClientConnection(kept(socket));
  const answers = await Promise.all([1, 2, 3].map((size) => request(client, '/echo', bodyOf(size * 100_000))));
  expect(answers.map((answer) => answer.body.length)).toEqual([100_000, 200_000, 300_000]);
});

const toLoopback: net.LookupFunction = (_host, options, done) => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};
