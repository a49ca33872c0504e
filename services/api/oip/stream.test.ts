import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeCall } from '../../../test/fakes/fake-call.ts';
import { silent } from '../../../test/fakes/fake-parts.ts';
import { reasoningOptions } from '../../../test/fakes/reasoning-options.ts';
import { RouterError } from '../../core/errors.ts';
import {
  ModelInferRequest,
  ModelInferResponse,
  type ModelStreamInferResponse,
} from '../../generated/inference/grpc_service.ts';
import { Code, type Status } from '../../grpc/status.ts';
import { OpenCalls } from '../open-calls.ts';
import type { UnaryContext } from '../unary.ts';
import { inferStream } from './stream.ts';

const WINDOW = 2;
const TIMEOUT_MS = 1_000;

interface Inferred {
  readonly request: ModelInferRequest;
  readonly context: UnaryContext;
  readonly isPaid: boolean | undefined;
  /** Answers, and lets the stream handle it. */
  answer(): Promise<void>;
  fail(error: unknown): Promise<void>;
}

let inferred: Inferred[];
let counted: [type: string, outcome: string, durationMs: number][];
/** How the call ended. */
let ends: (Status | 'OK')[];
let call: FakeCall<ModelStreamInferResponse>;
let calls: OpenCalls;
let opened: jest.SpiedFunction<OpenCalls['opened']>;
let closed: jest.SpiedFunction<OpenCalls['closed']>;
let draining: AbortController;

const settle = (): Promise<void> => new Promise(setImmediate);
const request = (id: string): ModelInferRequest => ModelInferRequest.fromPartial({ id });

function open(): void {
  const handler = inferStream(
    (request, context, _form, isPaid) => {
      const { promise, resolve, reject } = Promise.withResolvers<ModelInferResponse>();
      inferred.push({
        ...{ request, context, isPaid },
        answer: () => {
          resolve(ModelInferResponse.fromPartial({ id: request.id, modelName: 'm' }));
          return settle();
        },
        fail: (error) => {
          reject(error);
          return settle();
        },
      });
      return promise;
    },
    reasoningOptions({
      ...{ windowSize: WINDOW, timeoutMs: TIMEOUT_MS, calls, drained: draining.signal },
      observer: { ...silent, requestEnded: (...each: (typeof counted)[number]) => void counted.push(each) },
    }),
  );
  handler(call);
}

beforeEach(() => {
  [inferred, counted, ends] = [[], [], []];
  call = new FakeCall((end) => ends.push(end ?? 'OK'));
  calls = new OpenCalls();
  opened = jest.spyOn(calls, 'opened');
  closed = jest.spyOn(calls, 'closed');
  draining = new AbortController();
});

/** Whether a stop of the router would wait for the stream. */
const isOpen = (): boolean => opened.mock.calls.length > closed.mock.calls.length;

const idsOf = (): (string | undefined)[] => call.answers.map(({ inferResponse }) => inferResponse?.id);

describe('a stream of inferences', () => {
  it('answers each request when it is ready, and does not charge it as part of the call', async () => {
    open();
    call.push(request('a'));
    call.push(request('b'));
    await inferred[1]!.answer();
    await inferred[0]!.answer();
    expect(call.answers).toEqual(
      ['b', 'a'].map((id) => ({
        errorMessage: '',
        inferResponse: ModelInferResponse.fromPartial({ id, modelName: 'm' }),
      })),
    );
    expect(inferred.map(({ isPaid }) => isPaid)).toEqual([false, false]);
    expect(ends).toEqual([]);
  });

  it('answers a failed request with its error and id, and goes on', async () => {
    open();
    call.push(request('a'));
    await inferred[0]!.fail(new RouterError('NO_ENGINE', 'none is ready'));
    call.push(request('b'));
    await inferred[1]!.answer();
    expect(call.answers[0]).toEqual({
      errorMessage: 'NO_ENGINE: none is ready',
      inferResponse: ModelInferResponse.fromPartial({ id: 'a' }),
    });
    expect(idsOf()).toEqual(['a', 'b']);
  });

  it('answers a message that cannot be decoded without an inference', async () => {
    open();
    call.push(new RouterError('INVALID_FIELD', 'no such message'));
    await settle();
    expect(inferred).toEqual([]);
    expect(call.answers).toEqual([
      { errorMessage: 'INVALID_FIELD: no such message', inferResponse: ModelInferResponse.fromPartial({}) },
    ]);
  });

  it('counts every item with its outcome and duration', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
    open();
    call.push(request('a'));
    now.mockReturnValue(5_200);
    call.push(request('b'));
    await inferred[0]!.answer();
    now.mockReturnValue(5_250);
    await inferred[1]!.fail(new RouterError('NO_ENGINE', 'none'));
    now.mockRestore();
    expect(counted).toEqual([
      ['Reason.item', 'OK', 200],
      ['Reason.item', 'NO_ENGINE', 50],
    ]);
  });

  it.each([
    [Infinity, 6_000],
    [5_300, 5_300],
  ])('gives each request the deadline of the call or the timeout, the earlier one: %d', (deadlineMs, expected) => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(5_000);
    call.deadlineMs = deadlineMs;
    open();
    call.push(request('a'));
    now.mockRestore();
    expect([inferred[0]!.context.deadlineMs, inferred[0]!.context.startedMs]).toEqual([expected, 5_000]);
  });

  it('pauses while its window is full', async () => {
    open();
    call.push(request('a'));
    expect(call.isPaused).toBe(false);
    for (const id of ['b', 'c', 'd']) call.push(request(id));
    expect([call.isPaused, inferred.length]).toEqual([true, WINDOW]);
    await inferred[0]!.answer();
    expect([call.isPaused, inferred.length]).toEqual([true, WINDOW + 1]);
    await inferred[1]!.answer();
    await inferred[2]!.answer();
    expect([call.isPaused, inferred.length]).toEqual([false, WINDOW + 2]);
  });

  it('pauses and resumes the call only when that changes', async () => {
    const changes: string[] = [];
    call.pause = () => void changes.push('pause');
    call.resume = () => void changes.push('resume');
    open();
    for (const id of ['a', 'b', 'c']) call.push(request(id));
    for (const each of inferred) await each.answer();
    expect(changes).toEqual(['pause', 'resume']);
  });

  it('pauses while its caller reads no answers', async () => {
    open();
    call.hasUnsent = true;
    call.push(request('a'));
    await inferred[0]!.answer();
    expect(call.isPaused).toBe(true);
    call.listener?.onDrain?.();
    expect(call.isPaused).toBe(false);
  });

  it('ends with its input once every request is answered', async () => {
    open();
    call.push(request('a'));
    call.listener?.onEnd?.();
    expect([ends, isOpen()]).toEqual([[], true]);
    await inferred[0]!.answer();
    expect([idsOf(), ends, isOpen()]).toEqual([['a'], ['OK'], false]);
    expect(getEventListeners(draining.signal, 'abort')).toEqual([]);
  });

  it('without requests ends at once with its input', () => {
    open();
    call.listener?.onEnd?.();
    expect(ends).toEqual(['OK']);
  });

  it('ends only once', async () => {
    let count = 0;
    call.end = () => void (count += 1);
    open();
    call.listener?.onEnd?.();
    draining.abort();
    call.listener?.onEnd?.();
    await settle();
    expect(count).toBe(1);
  });

  it('of a router that drains answers what it has read, and ends', async () => {
    open();
    call.push(request('a'));
    draining.abort();
    expect(ends).toEqual([]);
    await inferred[0]!.answer();
    expect([idsOf(), ends]).toEqual([['a'], ['OK']]);
  });

  it('of a router that drains reads no more requests', async () => {
    open();
    call.push(request('a'));
    draining.abort();
    call.push(request('b'));
    expect([call.isPaused, inferred.length]).toEqual([true, 1]);
    await inferred[0]!.answer();
    expect([call.isPaused, inferred.length, ends]).toEqual([true, 1, ['OK']]);
  });

  it('to a router that already drains ends at once', () => {
    draining.abort();
    open();
    expect(ends).toEqual(['OK']);
  });

  it.each([
    [Infinity, 'CANCELLED'],
    [0, 'DEADLINE_EXCEEDED'],
  ])('that is cut cancels its requests and sends no more (deadline %d)', async (deadlineMs, kind) => {
    call.deadlineMs = deadlineMs;
    open();
    call.push(request('a'));
    call.cut();
    const { signal } = inferred[0]!.context;
    expect([signal.aborted, (signal.reason as RouterError).kind]).toEqual([true, kind]);
    expect(getEventListeners(draining.signal, 'abort')).toEqual([]);
    await inferred[0]!.answer();
    expect([call.answers, ends, isOpen()]).toEqual([[], [], false]);
    expect(counted.map(([, outcome]) => outcome)).toEqual(['OK']);
  });

  it('does not cancel a request that is already answered', async () => {
    open();
    call.push(request('a'));
    await inferred[0]!.answer();
    call.cut();
    expect(inferred[0]!.context.signal.aborted).toBe(false);
  });

  it('ends with the reason when the stop of the router does not wait any longer', async () => {
    open();
    call.push(request('a'));
    await calls.finish(1);
    expect(ends).toMatchObject([{ code: Code.UNAVAILABLE }]);
    expect((inferred[0]!.context.signal.reason as RouterError).kind).toBe('DRAINING');
  });
});
