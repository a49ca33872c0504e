import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { loneRouter } from '../../test/fakes/lone-router.ts';
import { CallerAccount, NO_LIMITS } from '../auth/caller-account.ts';
import { RouterError } from '../core/errors.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import { ReasonRequest, ReasonStreamResponse } from '../generated/tandem/v1/reasoning.ts';
import { Code, type Status } from '../grpc/status.ts';
import { OpenCalls } from './open-calls.ts';
import { reasonStream } from './reason-stream.ts';

const MIB = 1_048_576;
const request = Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial({ encoding: [1] })).finish());
const undecodable = new RouterError('INVALID_FIELD', 'a message that cannot be decoded');
const ofSize = (bytes: number): { request: Buffer } => ({ request: Buffer.alloc(bytes, 255) });

let drain: AbortController;
let calls: OpenCalls;
/** The requests in the router: each fails with NO_ENGINE when it is called. */
let running: (() => void)[];
let deadlines: number[];
let counted: [type: string, outcome: string, durationMs: number][];
let traces: RequestTrace[];
let status: Status | undefined;

beforeEach(() => {
  drain = new AbortController();
  calls = new OpenCalls();
  [running, deadlines, counted, traces, status] = [[], [], [], [], undefined];
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(over: Partial<FakeCall<Buffer>> = {}, windowSize = 100): FakeCall<Buffer> {
  const router = loneRouter((_, { deadlineMs }) => {
    deadlines.push(deadlineMs);
    return new Promise((_resolve, reject) => running.push(() => reject(new RouterError('NO_ENGINE', 'none'))));
  });
  const tracing = fakeTracing();
  const begin: typeof tracing.begin = (...args) => {
    const trace = fakeTracing().begin(...args);
    traces.push(trace);
    return trace;
  };
  const requestEnded = (...each: (typeof counted)[number]): void => void counted.push(each);
  const call = Object.assign(new FakeCall<Buffer>((end) => (status = end)), over);
  const handle = reasonStream(router, {
    ...{ windowSize, timeoutMs: 1_000, observer: { ...silent, requestEnded }, calls, drained: drain.signal },
    ...{ tracing: Object.assign(tracing, { begin }), onInternalError: () => undefined },
  });
  handle(call);
  return call;
}

const reasonsOf = ({ answers }: FakeCall<Buffer>): string[] =>
  answers.map((bytes) => {
    const { outcome } = ReasonStreamResponse.decode(bytes);
    return outcome?.$case === 'error' ? outcome.value.reason : 'OK';
  });

describe('a stream of a router that stops', () => {
  it('reads no more, answers what it has read, and ends with DRAINING', async () => {
    const call = open();
    call.push({ request });
    await settled();
    drain.abort();
    expect([call.isPaused, call.isOver]).toEqual([true, false]);
    running[0]!();
    await settled();
    expect(reasonsOf(call)).toEqual(['NO_ENGINE']);
    expect(status).toMatchObject({ code: Code.UNAVAILABLE });
    expect(counted.map(([type, outcome]) => [type, outcome])).toEqual([
      ['ReasonStream.item', 'NO_ENGINE'],
      ['Reason', 'DRAINING'],
    ]);
  });

  it('ends at once if it opens then', () => {
    drain.abort();
    expect(open().isOver).toBe(true);
    expect(status).toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('ends when the grace period does', async () => {
    const call = open();
    call.push({ request });
    await settled();
    await calls.finish(1);
    expect(status).toMatchObject({ code: Code.UNAVAILABLE, message: expect.stringContaining('1 ms') as unknown });
    expect(counted.map(([, outcome]) => outcome)).toEqual(['DRAINING']);
  });

  it.each<[string, (call: FakeCall<Buffer>) => void]>([
    ['is cut', (call) => call.cut()],
    ['has ended', (call) => call.listener?.onEnd?.()],
  ])('is not held by a stream that %s', (_, end) => {
    const call = open();
    expect(getEventListeners(drain.signal, 'abort')).toHaveLength(1);
    end(call);
    expect(getEventListeners(drain.signal, 'abort')).toEqual([]);
  });
});

describe('a stream pauses', () => {
  it('while it has as many requests in flight as its window', async () => {
    const call = open({}, 2);
    for (let k = 0; k < 3; k += 1) call.push({ request });
    await settled();
    expect([running.length, call.isPaused]).toEqual([2, true]);
    running[0]!();
    await settled();
    await settled();
    expect(running).toHaveLength(3);
  });

  it('while it has requests of exactly 16 MiB in flight', () => {
    const call = open();
    call.push(undecodable);
    call.push(ofSize(8 * MIB));
    expect(call.isPaused).toBe(false);
    call.push(ofSize(8 * MIB));
    expect(call.isPaused).toBe(true);
  });

  it('not for requests of fewer bytes', () => {
    const call = open();
    call.push(ofSize(8 * MIB));
    call.push(ofSize(8 * MIB - 1));
    expect(call.isPaused).toBe(false);
  });
});

describe('an item of a stream', () => {
  it('that cannot be decoded is answered, counted and traced as failed', () => {
    const call = open();
    call.push(undecodable);
    expect(reasonsOf(call)).toEqual(['INVALID_FIELD']);
    expect(counted).toEqual([['ReasonStream.item', 'INVALID_FIELD', 0]]);
    expect(traces.map(({ failure }) => failure)).toEqual([undecodable]);
  });

  it('has the time since it began', async () => {
    const beganMs = performance.now();
    const call = open();
    call.push({ request });
    await settled();
    running[0]!();
    await settled();
    const { processingTimeMs } = ReasonStreamResponse.decode(call.answers[0]!);
    expect(processingTimeMs).toBeGreaterThan(0);
    expect(processingTimeMs).toBeLessThanOrEqual(performance.now() - beganMs);
  });

  it('has the deadline of its stream, or the default timeout if that is earlier', async () => {
    const nowMs = performance.now();
    open({ deadlineMs: nowMs + 500 }).push({ request });
    open().push({ request });
    await settled();
    expect(deadlines[0]).toBe(nowMs + 500);
    expect(deadlines[1]! - nowMs).toBeGreaterThanOrEqual(1_000);
    expect(deadlines[1]! - performance.now()).toBeLessThanOrEqual(1_000);
  });
});

describe('the caller of a stream', () => {
  const account = (over: object): CallerAccount =>
    new CallerAccount('ann', { ...NO_LIMITS, ...over }, { calls: 0, refused: 0 });

  it('holds each item until it is answered', async () => {
    const owner = account({});
    const call = open({ owner });
    call.push({ request });
    call.push({ request });
    await settled();
    const isIdle = [owner.isIdle];
    for (const fail of running) {
      fail();
      await settled();
      isIdle.push(owner.isIdle);
    }
    expect(isIdle).toEqual([false, false, true]);
  });

  it('gets an error for an item above its limit', async () => {
    const call = open({ owner: account({ maxItems: 1 }) });
    call.push({ request });
    call.push({ request });
    await settled();
    expect([reasonsOf(call), running.length]).toEqual([['CALLER_LIMIT'], 1]);
  });

  it('pays once for each item', async () => {
    const call = open({ owner: account({ perS: 4 }) });
    for (let k = 0; k < 4; k += 1) call.push({ request });
    await settled();
    expect([reasonsOf(call), running.length]).toEqual([[], 4]);
  });
});

describe('items that arrive faster than their caller may send', () => {
  /** Items that wait for the rate; each is sent when it is called. */
  let waiting: (() => void)[];
  let givenUp: unknown[];
  let call: FakeCall<Buffer>;

  beforeEach(() => {
    [waiting, givenUp] = [[], []];
    const owner = {
      ...{ enter: () => undefined, left: () => undefined, giveUp: (run: unknown) => void givenUp.push(run) },
      whenAllowed: (run: () => void) => void waiting.push(run),
    } as unknown as CallerAccount;
    call = open({ owner });
  });

  it('wait one by one, and no more are read meanwhile', async () => {
    for (let k = 0; k < 3; k += 1) call.push({ request });
    const seen: unknown[] = [];
    for (let k = 0; k < 3; k += 1) {
      await settled();
      seen.push([running.length, waiting.length, call.isPaused]);
      waiting[k]!();
    }
    await settled();
    expect(seen).toEqual([
      [0, 1, true],
      [1, 2, true],
      [2, 3, true],
    ]);
    expect([running.length, call.isPaused]).toEqual([3, false]);
  });

  it('wait in turn if several had arrived already', async () => {
    const { listener } = call;
    listener!.onMessage!({ request } as never);
    listener!.onMessage!({ request } as never);
    expect(waiting).toHaveLength(1);
    waiting[0]!();
    expect([waiting.length, call.isPaused]).toEqual([2, true]);
    waiting[1]!();
    await settled();
    expect([running.length, call.isPaused]).toEqual([2, false]);
  });

  it('wait no longer when the stream ends', () => {
    call.push({ request });
    call.cut();
    expect(givenUp).toEqual(waiting);
  });
});
