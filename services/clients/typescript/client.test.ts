// Tests the client against a small server on a real port.
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BadRequest, ErrorInfo, RetryInfo } from '../../generated/google/rpc/error_details.ts';
import { Status } from '../../generated/google/rpc/status.ts';
import { ModelServiceClient, ModelServiceService } from '../../generated/tandem/v1/models.ts';
import {
  ReasonError,
  type ReasonRequest,
  ReasonResponse,
  type ReasonStreamResponse,
  ReasoningServiceService,
} from '../../generated/tandem/v1/reasoning.ts';
import { Tandem, TandemError, digestHex, tensorOf } from './index.ts';

const TYPE = 'type.googleapis.com/google.rpc.';

function refusal(code: grpc.status, retryAfterMs?: number): grpc.ServiceError {
  const info = ErrorInfo.encode({ reason: 'INPUT_LENGTH', domain: 'tandem', metadata: { limit: '768' } }).finish();
  const field = { field: 'encoding', description: 'too short' };
  const details = [
    { typeUrl: `${TYPE}ErrorInfo`, value: Buffer.from(info) },
    {
      typeUrl: `${TYPE}BadRequest`,
      value: Buffer.from(BadRequest.encode(BadRequest.fromPartial({ fieldViolations: [field] })).finish()),
    },
  ];
  if (retryAfterMs !== undefined) {
    const retry = RetryInfo.fromPartial({ retryDelay: { seconds: 0n, nanos: retryAfterMs * 1e6 } });
    details.push({ typeUrl: `${TYPE}RetryInfo`, value: Buffer.from(RetryInfo.encode(retry).finish()) });
  }
  const metadata = new grpc.Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message: 'no', details }).finish()));
  return Object.assign(new Error('no'), { code, details: 'no', metadata });
}

type Outcome = ReasonResponse | grpc.ServiceError | 'silence';

let server: grpc.Server;
let tandem: Tandem;
/** The response of the server to each Reason call, in turn; the last one is repeated. */
let outcomes: Outcome[];
let received: { request: ReasonRequest; metadata: grpc.Metadata }[];

beforeEach(async () => {
  received = [];
  outcomes = [ReasonResponse.fromPartial({ label: 'noun.animal', stateDigest: 0xfedcba9876543210n })];
  server = new grpc.Server();
  server.addService(ReasoningServiceService, {
    reason: (call: grpc.ServerUnaryCall<ReasonRequest, ReasonResponse>, done: grpc.sendUnaryData<ReasonResponse>) => {
      received.push({ request: call.request, metadata: call.metadata });
      const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
      if (outcome === 'silence') return;
      if (outcome instanceof Error) done(outcome);
      else done(null, outcome);
    },
    ping: () => undefined,
    reasonBatch: () => undefined,
    reasonStream: (call: grpc.ServerDuplexStream<{ request?: ReasonRequest }, ReasonStreamResponse>) => {
      call.on('data', ({ request }: { request?: ReasonRequest }) => {
        const { requestId = '', text = '' } = request ?? {};
        const error = ReasonError.fromPartial({ code: 3, reason: 'TEXT_EMPTY', message: 'empty', field: 'text' });
        call.write({
          requestId,
          processingTimeMs: 0,
          outcome:
            text === ''
              ? { $case: 'error', value: error }
              : { $case: 'result', value: ReasonResponse.fromPartial({ label: text }) },
        });
      });
      call.on('end', () => call.end());
    },
  });
  server.addService(ModelServiceService, {
    listModels: (_: unknown, done: grpc.sendUnaryData<unknown>) => done(null, { models: [], processingTimeMs: 1 }),
    getModel: () => undefined,
    loadModel: () => undefined,
    unloadModel: () => undefined,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  tandem = new Tandem(`127.0.0.1:${port}`, { token: 'secret' });
});

afterEach(() => {
  tandem.close();
  server.forceShutdown();
});

describe('a call', () => {
  it('returns the answer with an unsigned digest and sends the token', async () => {
    const { label, stateDigest } = await tandem.reason({ text: 'dog' });
    expect([label, digestHex(stateDigest)]).toEqual(['noun.animal', 'fedcba9876543210']);
    expect(received[0]?.metadata.get('authorization')).toEqual(['Bearer secret']);
  });

  it('fails with reason, metadata and field', async () => {
    outcomes = [refusal(grpc.status.INVALID_ARGUMENT)];
    const error = await tandem.reason({ encoding: [1] }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TandemError);
    expect(error).toMatchObject({
      ...{ code: grpc.status.INVALID_ARGUMENT, reason: 'INPUT_LENGTH', metadata: { limit: '768' } },
      ...{ message: 'no', fields: [{ field: 'encoding', description: 'too short' }] },
    });
    expect(received).toHaveLength(1);
  });

  it('is retried after the delay that the router names', async () => {
    outcomes = [refusal(grpc.status.RESOURCE_EXHAUSTED, 1), ...outcomes];
    await expect(tandem.reason({ text: 'dog' })).resolves.toMatchObject({ label: 'noun.animal' });
    expect(received).toHaveLength(2);
  });

  it('of a session is not retried if it may have been executed', async () => {
    const lost = Object.assign(new Error('lost'), { code: grpc.status.UNAVAILABLE, details: 'lost' });
    outcomes = [lost as grpc.ServiceError];
    await expect(tandem.reason({ session: { id: 'robot-7' } })).rejects.toMatchObject({ reason: '' });
    expect(received).toHaveLength(1);
  });

  it('fails with DEADLINE_EXCEEDED at its deadline', async () => {
    outcomes = ['silence'];
    await expect(tandem.reason({ text: 'dog' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: grpc.status.DEADLINE_EXCEEDED,
    });
  });

  it('fails with CANCELLED if the signal is aborted', async () => {
    outcomes = ['silence'];
    const cancel = new AbortController();
    const call = tandem.reason({ text: 'dog' }, { signal: cancel.signal });
    cancel.abort();
    await expect(call).rejects.toMatchObject({ code: grpc.status.CANCELLED });
  });

  it('of another service uses the same connection', async () => {
    const { models } = await tandem.call(ModelServiceClient, (service) => service.listModels, {});
    expect(models).toEqual([]);
  });
});

describe('a stream', () => {
  it('returns an answer or an error for each request', async () => {
    const answers = [];
    for await (const answer of tandem.reasonStream([{ requestId: 'a', text: 'dog' }, { requestId: 'b' }])) {
      answers.push([answer.requestId, answer.result?.label, answer.error?.reason]);
    }
    expect(answers).toEqual([
      ['a', 'dog', undefined],
      ['b', undefined, 'TEXT_EMPTY'],
    ]);
  });

  it('fails with the error of the request iterator', async () => {
    function* broken(): Generator<Partial<ReasonRequest>> {
      yield { text: 'dog' };
      throw new Error('the file has ended');
    }
    const read = async (): Promise<void> => {
      for await (const _ of tandem.reasonStream(broken())); // until it throws
    };
    await expect(read()).rejects.toThrow('the file has ended');
  });

  it('fails with CANCELLED if the signal is aborted', async () => {
    const answers = tandem.reasonStream([{ text: 'dog' }], { signal: AbortSignal.abort() });
    await expect(answers.next()).rejects.toMatchObject({ code: grpc.status.CANCELLED });
  });

  it('can be ended early by its reader', async () => {
    function* endless(): Generator<Partial<ReasonRequest>> {
      for (;;) yield { text: 'dog' };
    }
    for await (const { result } of tandem.reasonStream(endless())) {
      expect(result?.label).toBe('dog');
      break;
    }
  });
});

describe('a tensor', () => {
  it('has little-endian float values', () => {
    expect(tensorOf([1, -2])).toEqual({ shape: [2], dtype: 'FP32', data: Buffer.from('0000803f000000c0', 'hex') });
  });

  it('is refused if its shape does not match the number of values', () => {
    expect(() => tensorOf([1, 2, 3], [2, 2])).toThrow('shape [2, 2] has 4 values, and 3 were given');
  });
});

it('TandemError.ofItem keeps the retry time', () => {
  const error = ReasonError.fromPartial({ code: 8, reason: 'ROUTER_FULL', retryAfterMs: 250 });
  expect(TandemError.ofItem(error).retryAfterMs).toBe(250);
});
