// Tests the server against the HTTP/2 client of Node: requests that no gRPC client sends.
import { type ClientHttp2Session, type IncomingHttpHeaders, connect } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADERS, type HttpAnswer, frame, post as postTo } from '../../test/support/http2-post.ts';
import { until } from '../../test/support/until.ts';
import { type Listener, listen } from './listen.ts';
import type { IncomingCall } from './method.ts';
import { GrpcServer } from './server.ts';

const MAX_BYTES = 100_000;
const same = (bytes: Buffer): Buffer => bytes;

let server: GrpcServer;
let listener: Listener;
let session: ClientHttp2Session;
let bugs: unknown[];
let messageTimeoutMs: number;

beforeEach(async () => {
  bugs = [];
  messageTimeoutMs = 60_000;
  const echo = {
    ...({ path: '/t.T/Any', requestStream: false, responseStream: true, decode: same, encode: same } as const),
    handle: (call: IncomingCall<Buffer>, request: Buffer) => call.answer(request),
  };
  server = new GrpcServer({
    methods: [echo],
    arrivals: {
      ...{ maxMessageBytes: MAX_BYTES, maxOpenBytes: 64 * MAX_BYTES },
      get messageTimeoutMs() {
        return messageTimeoutMs;
      },
    },
    onBug: (_path, error) => bugs.push(error),
  });
  listener = await listen('127.0.0.1:0', server.accept);
  session = connect(`http://127.0.0.1:${listener.port}`).on('error', () => undefined);
});

afterEach(() => {
  session.destroy();
  listener.close();
  server.close();
  expect(bugs).toEqual([]);
});

const post = (body: Buffer, over?: Record<string, string>, end?: boolean): Promise<HttpAnswer> =>
  postTo(session, body, over, end);

describe('an invalid gRPC request', () => {
  const said = ({ headers, trailers }: HttpAnswer): [http: unknown, code: unknown, text: string] => {
    const got = { ...headers, ...trailers };
    return [got[':status'], grpc.status[Number(got['grpc-status'])], decodeURIComponent(String(got['grpc-message']))];
  };

  it.each([
    ['an unknown method', { ':path': '/t.T/None' }, 200, 'UNIMPLEMENTED', /there is no method "\/t\.T\/None" here/],
    ['an unknown compression', { 'grpc-encoding': 'br' }, 200, 'UNIMPLEMENTED', /"br" is not known/],
    ['an invalid timeout', { 'grpc-timeout': '1s' }, 200, 'INTERNAL', /grpc-timeout "1s" is not/],
    ['metadata that is not base64', { 'x-bin': '!' }, 200, 'INTERNAL', /"x-bin" is not valid base64/],
  ])('with %s fails with its status', async (_what, over, http, code, text) => {
    const answer = await post(frame('x'), over);
    expect(said(answer)).toEqual([http, code, expect.stringMatching(text)]);
  });

  it('with an unknown compression gets the supported encodings', async () => {
    const { headers } = await post(frame('x'), { 'grpc-encoding': 'br' });
    expect(headers['grpc-accept-encoding']).toBe('identity,gzip,deflate');
  });

  it.each(['application/grpc+proto', 'application/grpc;charset=utf-8', 'Application/GRPC'])(
    'is not reported for content-type %s',
    async (type) => {
      expect(said(await post(frame('x'), { 'content-type': type }))).toEqual([200, 'OK', 'undefined']);
    },
  );

  it.each([
    ['no message', Buffer.alloc(0), 'UNIMPLEMENTED', /the call has no message/],
    ['two messages', Buffer.concat([frame('a'), frame('b')]), 'UNIMPLEMENTED', /several messages/],
    ['half a message', frame('abc').subarray(0, 6), 'INTERNAL', /ended within a message/],
    ['a flag without an encoding', frame('a', 1), 'INTERNAL', /flagged as compressed/],
  ])('with a body of %s fails with its status', async (_what, body, code, text) => {
    expect(said(await post(body))).toEqual([200, code, expect.stringMatching(text)]);
  });

  it('is refused as too large before it has arrived', async () => {
    const body = Buffer.alloc(5);
    body.writeUInt32BE(MAX_BYTES + 1, 1);
    const answer = await post(body, {}, false);
    expect(said(answer)).toEqual([200, 'RESOURCE_EXHAUSTED', expect.stringMatching(/100001 bytes; at most 100000/)]);
  });

  it.each([
    ['no bytes arrive', Buffer.alloc(0)],
    ['only a part arrives', frame('abc').subarray(0, 6)],
    ['its stream does not end', frame('abc')],
  ])('ends with DEADLINE_EXCEEDED after the timeout if %s', async (_what, body) => {
    messageTimeoutMs = 60;
    const answer = await post(body, {}, false);
    expect(said(answer)).toEqual([200, 'DEADLINE_EXCEEDED', expect.stringMatching(/not complete within 60 ms/)]);
  });
});

describe('a request that is not a gRPC call', () => {
  const WRONG_TYPE = 'This is a gRPC server: send content-type application/grpc.\n';
  const said = ({ headers, body }: HttpAnswer): [http: unknown, text: string] => [headers[':status'], String(body)];

  it.each([
    ['another content-type', { 'content-type': 'text/html' }, 415, WRONG_TYPE],
    ['content-type application/grpcx', { 'content-type': 'application/grpcx' }, 415, WRONG_TYPE],
    ['another HTTP method', { ':method': 'PUT' }, 405, 'This is a gRPC server: send the HTTP method POST.\n'],
  ])('with %s is answered in plain text', async (_what, over, http, text) => {
    const answer = await post(frame('x'), over);
    expect(said(answer)).toEqual([http, text]);
    expect(answer.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8' });
    expect(answer.headers).not.toHaveProperty('grpc-status');
  });

  it.each([
    ['GET', WRONG_TYPE],
    ['HEAD', ''],
  ])('may have only headers: %s', async (verb, text) => {
    const stream = session.request({ ':method': verb, ':path': '/' });
    const { promise, resolve } = Promise.withResolvers<IncomingHttpHeaders>();
    stream.on('response', resolve);
    let body = '';
    for await (const chunk of stream) body += String(chunk);
    expect([(await promise)[':status'], body]).toEqual([415, text]);
  });

  it('is answered after its end, even if it is larger than all windows', async () => {
    const stream = session.request({ ...HEADERS, 'content-type': 'text/html' });
    let hasAnswer = false;
    stream.on('response', () => (hasAnswer = true)).resume();
    const part = Buffer.alloc(1_000_000);
    for (let k = 0; k < 20; k += 1) await new Promise((resolve) => stream.write(part, resolve));
    await new Promise((resolve) => session.ping(resolve));
    expect(hasAnswer).toBe(false);
    stream.end();
    await until(() => hasAnswer, { what: 'the answer' });
  });

  it('may end with trailers', async () => {
    const stream = session.request({ ...HEADERS, 'content-type': 'text/html' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': '1' }));
    const answered = new Promise((resolve) => stream.on('response', (got) => resolve(got[':status'])));
    stream.resume().end('x');
    expect(await answered).toBe(415);
  });

  it('is answered if it does not end within the timeout', async () => {
    messageTimeoutMs = 60;
    expect(said(await post(frame('x'), { 'content-type': 'text/html' }, false))).toEqual([415, WRONG_TYPE]);
  });

  it('gets only as many bytes as the window of its client', async () => {
    session.destroy();
    session = connect(`http://127.0.0.1:${listener.port}`, { settings: { initialWindowSize: 10 } });
    const stream = session.request({ ':method': 'GET', ':path': '/' });
    await new Promise((resolve) => stream.on('response', resolve));
    await new Promise((resolve) => session.ping(resolve));
    expect(String(stream.read())).toBe(WRONG_TYPE.slice(0, 10));
    stream.destroy();
  });
});
