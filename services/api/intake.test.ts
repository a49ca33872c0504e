import { type ClientHttp2Session, connect } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ReasonBatchRequest, ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import type { IncomingCall, Method } from '../grpc/method.ts';
import { until } from '../../test/support/until.ts';
import { RouterError } from '../core/errors.ts';
import { EDGES, type Served, serve } from '../../test/support/serve.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { countItems } from './batch-inspector.ts';
import { MAX_OPEN_MESSAGES, countUnheard } from './unheard.ts';

const MAX_MESSAGE_BYTES = 100_000;
const SERVICE = '/tandem.v1.ReasoningService';

let server: Served;
let session: ClientHttp2Session;
let metrics: Metrics;
let timeoutMs: number;
let taken: Buffer[];
/** The error with which open streams end at the next check; undefined: they go on. */
let refusal: RouterError | undefined;
/** The open call of Held. */
let held: IncomingCall<Buffer> | undefined;

const asItIs = (bytes: Buffer): Buffer => bytes;

function methods(): Method[] {
  const unary = (name: string, inspector?: Method['inspector']): Method => ({
    ...{ path: `${SERVICE}/${name}`, requestStream: false, responseStream: false, inspector },
    ...{ decode: asItIs, encode: asItIs },
    handle: (call: IncomingCall<Buffer>, request: Buffer) => {
      taken.push(request);
      call.answer(Buffer.alloc(0));
    },
  });
  return [
    unary('Reason'),
    { ...unary('Held'), handle: (call: IncomingCall<Buffer>) => void (held = call) },
    unary('ReasonBatch', () => countItems({ maxBatchItems: 3, observer: metrics })),
    {
      ...{ path: `${SERVICE}/ReasonStream`, requestStream: true, responseStream: true },
      ...{ decode: asItIs, encode: asItIs },
      handle: (call: IncomingCall<Buffer>) => {
        call.listener = {
          onMessage: (request: Buffer) => {
            taken.push(request);
            call.send(Buffer.alloc(0));
          },
          onEnd: () => call.end(),
        };
      },
    },
  ];
}

describe.each(EDGES)('on edge %s', (edge) => {
  beforeEach(async () => {
    metrics = new Metrics();
    taken = [];
    [refusal, held] = [undefined, undefined];
    timeoutMs = 60_000;
    server = await serve(methods(), edge, {
      maxMessageBytes: MAX_MESSAGE_BYTES,
      get timeoutMs() {
        return timeoutMs;
      },
      onUnheard: (...about) => countUnheard(metrics, ...about),
      recheck: () => refusal,
    });
    session = connect(`http://${server.address}`);
    session.on('error', () => undefined);
  });

  afterEach(() => {
    session.destroy();
    server.stop();
  });

  interface Ended {
    readonly code: string;
    readonly message: string;
    /** The google.rpc details as sent. */
    readonly details: string;
  }

  interface Sending {
    /** Resolves when both sides are closed; if our side has not ended, the server has reset the stream. */
    readonly ended: Promise<Ended>;
    /** Resolves with the bytes of the next message. */
    readonly answered: Promise<unknown>;
    write(bytes: Buffer): void;
    end(): void;
  }

  function open(method: string, headers: Record<string, string> = {}): Sending {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': `${SERVICE}/${method}`, 'content-type': 'application/grpc', te: 'trailers' },
      ...headers,
    });
    let got: Record<string, unknown> = {};
    const note = (more: object): void => void (got = { ...got, ...more });
    stream
      .on('response', note)
      .on('trailers', note)
      .on('error', () => undefined);
    const answered = new Promise((resolve) => stream.once('data', resolve));
    const ended = new Promise<Ended>((resolve) => {
      stream.on('close', () =>
        resolve({
          code: grpc.status[Number(got['grpc-status'])] ?? 'none',
          message: decodeURI(String(got['grpc-message'])),
          details: Buffer.from(`${got['grpc-status-details-bin'] as string | undefined}`, 'base64').toString('latin1'),
        }),
      );
    });
    stream.resume();
    return { ended, answered, write: (bytes) => void stream.write(bytes), end: () => void stream.end() };
  }

  function frame(message: Buffer, flag = 0): Buffer {
    const head = Buffer.alloc(5);
    head[0] = flag;
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  }

  async function send(method: string, bytes: Buffer, headers: Record<string, string> = {}): Promise<Ended> {
    const sending = open(method, headers);
    sending.write(bytes);
    sending.end();
    return await sending.ended;
  }

  describe('a caller whose credentials are revoked', () => {
    it('loses its open streams, but not its unary calls', async () => {
      const stream = open('ReasonStream');
      stream.write(frame(Buffer.alloc(10)));
      await stream.answered;
      const single = send('Held', frame(Buffer.alloc(10)));
      await until(() => held, { what: 'the call' });
      refusal = new RouterError('BAD_CREDENTIALS', 'the token was revoked');
      server.endRefused();
      expect(await stream.ended).toMatchObject({ code: 'UNAUTHENTICATED', message: 'the token was revoked' });
      held!.answer(Buffer.alloc(0));
      expect(await single).toMatchObject({ code: 'OK' });
    });
  });

  describe('an incomplete message', () => {
    const cut = frame(Buffer.alloc(1_000)).subarray(0, 500);

    it.each([
      ['without any bytes', Buffer.alloc(0)],
      ['with missing bytes', cut],
      ['without the end of its stream', frame(Buffer.alloc(10))],
    ])('%s ends its call after the request timeout and stops the sender', async (_what, bytes) => {
      timeoutMs = 50;
      const sending = open('Reason');
      if (bytes.length > 0) sending.write(bytes);
      expect(await sending.ended).toMatchObject({
        code: 'DEADLINE_EXCEEDED',
        message: expect.stringMatching(/not complete within 50 ms \(setting request_timeout_ms\)/) as unknown,
      });
      expect(taken).toEqual([]);
      expect(metrics.snapshot().requestTypes).toMatchObject([
        { type: 'Reason', errorsByReason: { 'DEADLINE_EXCEEDED/DEADLINE_EXCEEDED': 1 } },
      ]);
    });

    it('in a stream ends the stream', async () => {
      timeoutMs = 50;
      const sending = open('ReasonStream');
      sending.write(Buffer.concat([frame(Buffer.alloc(10)), cut]));
      expect(await sending.ended).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    });

    it('is not reported for a stream that is idle between two messages', async () => {
      timeoutMs = 50;
      const idle = open('ReasonStream');
      idle.write(frame(Buffer.alloc(10)));
      await idle.answered;
      await open('Reason').ended; // a later call times out meanwhile
      idle.write(frame(Buffer.alloc(10)));
      idle.end();
      expect(await idle.ended).toMatchObject({ code: 'OK' });
    });
  });

  describe('a batch with too many items', () => {
    const batch = (items: number): Buffer => {
      const requests = Array.from({ length: items }, () => ReasonRequest.fromPartial({ model: 'toy' }));
      return Buffer.from(ReasonBatchRequest.encode({ requests }).finish());
    };

    it('is refused as soon as the limit is exceeded, and its sender stops', async () => {
      const sending = open('ReasonBatch');
      sending.write(frame(Buffer.concat([batch(4), Buffer.alloc(50_000)])).subarray(0, 1_000));
      expect(await sending.ended).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: 'more than 3 requests in one batch; send several batches, or see setting max_batch_items',
      });
    });

    it('is not refused if it has exactly the maximum', async () => {
      expect(await send('ReasonBatch', frame(batch(3)))).toMatchObject({ code: 'OK' });
    });

    it('is not counted in a message of another method', async () => {
      expect(await send('Reason', frame(batch(4)))).toMatchObject({ code: 'OK' });
    });
  });

  describe('a message that is flagged as compressed', () => {
    it.each([
      ['without an encoding', {}],
      ['with the encoding “identity”', { 'grpc-encoding': 'identity' }],
    ])('%s ends its call with INTERNAL, as the gRPC specification requires', async (_what, headers) => {
      expect(await send('Reason', frame(Buffer.from('x'), 1), headers as Record<string, string>)).toMatchObject({
        code: 'INTERNAL',
        message: expect.stringMatching(/flagged as compressed/) as unknown,
      });
      expect(taken).toEqual([]);
    });

    it('with gzip is decompressed', async () => {
      const gzipped = Buffer.from('H4sIAAAAAAAAA6sAAIMW3IwBAAAA', 'base64'); // "x"
      expect(await send('Reason', frame(gzipped, 1), { 'grpc-encoding': 'gzip' })).toMatchObject({ code: 'OK' });
      expect(taken.map(String)).toEqual(['x']);
    });
  });

  describe.each(['Reason', 'ReasonStream'])('a message that is too large, in a call of %s', (method) => {
    it('ends the call with RESOURCE_EXHAUSTED when its length is known', async () => {
      const sending = open(method);
      const whole = frame(Buffer.alloc(MAX_MESSAGE_BYTES + 1));
      sending.write(whole.subarray(0, 5));
      sending.write(whole.subarray(5, 2_000));
      expect(await sending.ended).toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        details: expect.stringMatching(/MESSAGE_TOO_LARGE/),
      });
      expect(taken).toEqual([]);
    });
  });

  describe('more message bytes than all open calls may hold', () => {
    const most = MAX_OPEN_MESSAGES * MAX_MESSAGE_BYTES;

    it('end the call that holds the most, not a small one', async () => {
      const small = open('Reason');
      small.write(frame(Buffer.alloc(1_000)).subarray(0, 900));
      const large = Array.from({ length: most / MAX_MESSAGE_BYTES + 1 }, () => {
        const sending = open('Reason');
        sending.write(frame(Buffer.alloc(MAX_MESSAGE_BYTES)).subarray(0, -1));
        return sending;
      });
      expect(await Promise.race(large.map(({ ended }) => ended))).toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        message: expect.stringMatching(/take more than 1600000 bytes; try again in 100 ms/) as unknown,
      });
      small.write(Buffer.alloc(105));
      small.end();
      expect(await small.ended).toMatchObject({ code: 'OK' });
    });
  });
});
