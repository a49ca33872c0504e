// Tests the server against the grpc-js client, and the HTTP/2 client of Node where a gRPC client hides what is sent.
import { connect } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HEADERS, frame, post } from '../../test/support/http2-post.ts';
import { until } from '../../test/support/until.ts';
import { type Listener, listen } from './listen.ts';
import { Metadata } from './metadata.ts';
import type { CallListener, IncomingCall, Method } from './method.ts';
import type { ServerCall } from './server-call.ts';
import { GrpcServer } from './server.ts';
import { Code } from './status.ts';

type Call = IncomingCall<Buffer>;

const MAX_BYTES = 100_000;
const same = (bytes: Buffer): Buffer => bytes;

let server: GrpcServer;
let listener: Listener;
let client: grpc.Client;
let bugs: [path: string, error: unknown][];
let messageTimeoutMs: number;
/** The handler of /t.T/Any. */
let onAny: (call: Call, request: Buffer) => void;
/** The handler of /t.T/Stream. */
let onStream: (call: Call) => void;

beforeEach(async () => {
  bugs = [];
  messageTimeoutMs = 60_000;
  onAny = (call, request) => call.answer(request);
  onStream = (call) => listenTo(call, { onMessage: (message) => void call.send(message), onEnd: () => call.end() });
  const plain = { decode: same, encode: same };
  const methods: Method[] = [
    {
      ...{ path: '/t.T/Any', requestStream: false, responseStream: true, ...plain },
      handle: (call: Call, request: Buffer) => onAny(call, request),
    },
    {
      ...{ path: '/t.T/Stream', requestStream: true, responseStream: true, ...plain },
      handle: (call: Call) => onStream(call),
    },
    {
      ...{ path: '/t.T/Undecodable', requestStream: false, responseStream: false, encode: same },
      decode: () => {
        throw new Error('no such field');
      },
      handle: () => undefined,
    },
  ];
  server = new GrpcServer({
    methods,
    arrivals: {
      ...{ maxMessageBytes: MAX_BYTES, maxOpenBytes: 64 * MAX_BYTES },
      get messageTimeoutMs() {
        return messageTimeoutMs;
      },
    },
    onBug: (path, error) => bugs.push([path, error]),
  });
  listener = await listen('127.0.0.1:0', server.accept);
  client = new grpc.Client(`127.0.0.1:${listener.port}`, grpc.credentials.createInsecure());
});

afterEach(() => {
  client.close();
  listener.close();
  server.close();
});

function listenTo(call: Call, listener: CallListener<Buffer>): void {
  call.listener = listener;
}

interface Answered {
  readonly messages: readonly Buffer[];
  readonly status: grpc.StatusObject;
  readonly headers: grpc.Metadata | undefined;
}

interface CallSettings {
  readonly metadata?: grpc.Metadata;
  readonly deadline?: number;
}

/** Sends one request and collects all answers. */
function ask(
  path: string,
  message: Buffer,
  { metadata = new grpc.Metadata(), deadline }: CallSettings = {},
): Promise<Answered> {
  const call = client.makeServerStreamRequest(path, same, same, message, metadata, { deadline });
  return collect(call);
}

function collect(call: grpc.ClientReadableStream<Buffer> | grpc.ClientDuplexStream<Buffer, Buffer>): Promise<Answered> {
  const messages: Buffer[] = [];
  let headers: grpc.Metadata | undefined;
  return new Promise((resolve) => {
    call.on('data', (bytes: Buffer) => messages.push(bytes));
    call.on('metadata', (metadata: grpc.Metadata) => (headers = metadata));
    call.on('error', () => undefined);
    call.on('status', (status: grpc.StatusObject) => resolve({ messages, status, headers }));
  });
}

describe('a call', () => {
  it('has one request and one answer', async () => {
    expect(await ask('/t.T/Any', Buffer.from('x'))).toMatchObject({
      messages: [Buffer.from('x')],
      status: { code: 0 },
    });
  });

  it('may have an empty request, and an empty answer', async () => {
    expect((await ask('/t.T/Any', Buffer.alloc(0))).messages.map((each) => each.length)).toEqual([0]);
  });

  it('may have a request of many frames', async () => {
    const large = Buffer.alloc(MAX_BYTES, 7);
    expect((await ask('/t.T/Any', large)).messages[0]!.equals(large)).toBe(true);
  });

  it('may have many answers', async () => {
    onAny = (call) => {
      for (let k = 0; k < 100; k += 1) call.send(Buffer.from(String(k)));
      call.end();
    };
    const { messages } = await ask('/t.T/Any', Buffer.alloc(0));
    expect(messages.map(String)).toEqual(Array.from({ length: 100 }, (_, k) => String(k)));
  });

  it('may have many requests and one answer', async () => {
    const got: string[] = [];
    onStream = (call) => {
      listenTo(call, {
        onMessage: (message) => void got.push(String(message)),
        onEnd: () => call.answer(Buffer.from(got.join())),
      });
    };
    const call = client.makeBidiStreamRequest('/t.T/Stream', same, same);
    for (const text of ['a', 'b', 'c']) call.write(Buffer.from(text));
    call.end();
    expect((await collect(call)).messages.map(String)).toEqual(['a,b,c']);
  });

  it('may alternate requests and answers', async () => {
    const call = client.makeBidiStreamRequest('/t.T/Stream', same, same);
    const ended = collect(call);
    for (const text of ['a', 'b']) {
      const answered = new Promise((resolve) => call.once('data', resolve));
      call.write(Buffer.from(text));
      expect(String(await answered)).toBe(text);
    }
    call.end();
    expect((await ended).status.code).toBe(grpc.status.OK);
  });
});

describe('the end of a call', () => {
  it('may be a status with any text and with details', async () => {
    const details = Buffer.from([1, 2, 250]);
    const message = 'grün: 100 %\n☺';
    onAny = (call) =>
      call.fail({ code: Code.ABORTED, message, metadata: Metadata.of({ 'grpc-status-details-bin': details }) });
    const { status } = await ask('/t.T/Any', Buffer.alloc(0));
    expect([status.code, status.details]).toEqual([grpc.status.ABORTED, message]);
    expect(status.metadata.get('grpc-status-details-bin')).toEqual([details]);
  });

  it('may be a status after answers', async () => {
    onAny = (call) => {
      call.send(Buffer.from('x'));
      call.fail({ code: Code.DATA_LOSS, message: 'and no more' });
    };
    expect(await ask('/t.T/Any', Buffer.alloc(0))).toMatchObject({
      messages: [Buffer.from('x')],
      status: { code: grpc.status.DATA_LOSS, details: 'and no more' },
    });
  });

  it('is INTERNAL if the handler throws; the server reports the error, not the client', async () => {
    const bug = new Error('secret');
    onAny = () => {
      throw bug;
    };
    const { status } = await ask('/t.T/Any', Buffer.alloc(0));
    expect([status.code, status.details]).toEqual([grpc.status.INTERNAL, expect.not.stringMatching('secret')]);
    expect(bugs).toEqual([['/t.T/Any', bug]]);
    onAny = (call, request) => call.answer(request);
    expect((await ask('/t.T/Any', Buffer.alloc(0))).status.code).toBe(grpc.status.OK);
  });

  it('is INTERNAL if a listener throws', async () => {
    onStream = (call) =>
      listenTo(call, {
        onMessage: () => {
          throw new Error('a bug');
        },
      });
    const call = client.makeBidiStreamRequest('/t.T/Stream', same, same);
    call.write(Buffer.from('x'));
    expect((await collect(call)).status.code).toBe(grpc.status.INTERNAL);
    expect(bugs).toHaveLength(1);
  });

  it('is INTERNAL if the request cannot be decoded', async () => {
    const { status } = await ask('/t.T/Undecodable', Buffer.from('x'));
    expect([status.code, status.details]).toEqual([
      grpc.status.INTERNAL,
      expect.stringMatching(/cannot be decoded \(no such field\)/),
    ]);
  });

  it('happens once: later calls of the handler have no effect', async () => {
    onAny = (call, request) => {
      call.answer(request);
      call.answer(request);
      call.fail({ code: Code.ABORTED, message: '' });
      expect([call.isOver, call.send(request)]).toEqual([true, false]);
    };
    expect(await ask('/t.T/Any', Buffer.from('x'))).toMatchObject({ messages: [{}], status: { code: 0 } });
    expect(bugs).toEqual([]);
  });
});

describe('metadata', () => {
  it('is read as text and bytes, and sent before and after the answers', async () => {
    const metadata = new grpc.Metadata();
    metadata.add('x-text', 'a');
    metadata.add('x-text', 'b');
    metadata.add('x-data-bin', Buffer.from([0, 255]));
    onAny = (call, request) => {
      const [bytes] = call.metadata.getBinary('x-data-bin');
      (call as unknown as ServerCall).sendMetadata(Metadata.of({ 'x-first': call.metadata.get('x-text').join() }));
      call.send(request);
      call.end(Metadata.of({ 'x-last-bin': bytes! }));
    };
    const { headers, status } = await ask('/t.T/Any', Buffer.alloc(0), { metadata });
    expect(headers!.get('x-first').join()).toMatch(/^a,\s?b$/);
    expect(status.metadata.get('x-last-bin')).toEqual([Buffer.from([0, 255])]);
  });
});

describe('a call in progress', () => {
  it('ends with DEADLINE_EXCEEDED at its deadline, and its handler is cancelled', async () => {
    let isCut = false;
    onAny = (call) => listenTo(call, { onCut: () => (isCut = true) });
    const beganMs = performance.now();
    const timeout = new grpc.Metadata();
    timeout.set('grpc-timeout', '60m');
    const { status } = await ask('/t.T/Any', Buffer.alloc(0), { metadata: timeout });
    expect([status.code, status.details]).toEqual([
      grpc.status.DEADLINE_EXCEEDED,
      'the deadline passed before the answer was ready',
    ]);
    expect(isCut).toBe(true);
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(60);
  });

  it('cancels its handler once when the caller or the connection is lost', async () => {
    let cuts = 0;
    let calls = 0;
    onAny = (call) => {
      calls += 1;
      listenTo(call, { onCut: () => (cuts += 1) });
    };
    const leaving = client.makeServerStreamRequest('/t.T/Any', same, same, Buffer.alloc(0));
    void collect(leaving);
    await until(() => calls === 1, { what: 'the call' });
    leaving.cancel();
    await until(() => cuts === 1, { what: 'the cancellation' });
    const session = connect(`http://127.0.0.1:${listener.port}`).on('error', () => undefined);
    void post(session, frame('x'));
    await until(() => calls === 2, { what: 'the second call' });
    session.destroy();
    await until(() => cuts === 2, { what: 'the loss' });
  });

  it('makes the handler wait while the client does not read, without loss', async () => {
    const chunk = Buffer.alloc(50_000);
    let sent = 0;
    let waits = 0;
    onAny = (call) => {
      const send = (): void => {
        while (sent < 400) {
          sent += 1;
          if (!call.send(chunk)) {
            waits += 1;
            return;
          }
        }
        call.end();
      };
      listenTo(call, { onDrain: send });
      send();
    };
    const session = connect(`http://127.0.0.1:${listener.port}`);
    const stream = session.request(HEADERS).end(frame(''));
    await until(() => waits > 0, { what: 'the handler to wait' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBeLessThan(400);
    let bytes = 0;
    for await (const data of stream) bytes += (data as Buffer).length;
    expect(bytes).toBe(400 * 50_005);
    session.destroy();
  });

  it('slows its client while the handler does not read', async () => {
    let taken = 0;
    let call!: Call;
    onStream = (each) => {
      call = each;
      call.pause();
      listenTo(call, { onMessage: () => (taken += 1), onEnd: () => call.end() });
    };
    const sending = client.makeBidiStreamRequest('/t.T/Stream', same, same);
    const ended = collect(sending);
    let written = 0;
    const write = (): void => {
      while (written < 500) {
        written += 1;
        if (!sending.write(Buffer.alloc(50_000))) {
          sending.once('drain', write);
          return;
        }
      }
      sending.end();
    };
    write();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([taken, written < 500]).toEqual([0, true]);
    call.resume();
    expect((await ended).status.code).toBe(grpc.status.OK);
    expect(taken).toBe(500);
  });
});

describe('compression', () => {
  it('of requests is decoded', async () => {
    const options = { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip };
    const packing = new grpc.Client(`127.0.0.1:${listener.port}`, grpc.credentials.createInsecure(), options);
    const text = Buffer.from('compress me '.repeat(100));
    const call = packing.makeServerStreamRequest('/t.T/Any', same, same, text);
    expect((await collect(call)).messages.map(String)).toEqual([String(text)]);
    packing.close();
  });

  it('of answers is chosen by the handler for each message', async () => {
    onAny = (call, request) => {
      const own = call as unknown as ServerCall;
      own.sendMetadata(new Metadata(), true);
      own.send(request, true);
      own.send(request, false);
      own.end();
    };
    const text = 'x'.repeat(1_000);
    expect((await ask('/t.T/Any', Buffer.from(text))).messages.map(String)).toEqual([text, text]);
    const session = connect(`http://127.0.0.1:${listener.port}`);
    const plain = await post(session, frame(text));
    const packed = await post(session, frame(text), { 'grpc-accept-encoding': 'identity, deflate, gzip' });
    expect(
      [plain, packed].map(({ headers, body }) => [headers['grpc-encoding'], body[0], body.length < 1_500]),
    ).toEqual([
      [undefined, 0, false],
      ['gzip', 1, true],
    ]);
    session.destroy();
  });
});

describe('GrpcServer.drain', () => {
  it('finishes open calls, refuses new ones and closes all connections', async () => {
    let call: Call | undefined;
    onAny = (each) => (call = each);
    const answer = ask('/t.T/Any', Buffer.from('x'));
    await until(() => call !== undefined, { what: 'the call' });
    listener.close();
    let isDrained = false;
    const drained = server.drain().then(() => (isDrained = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isDrained).toBe(false);
    call!.answer(Buffer.from('last'));
    expect((await answer).messages.map(String)).toEqual(['last']);
    await drained;
    expect((await ask('/t.T/Any', Buffer.from('x'), { deadline: Date.now() + 200 })).status.code).not.toBe(0);
  });
});
