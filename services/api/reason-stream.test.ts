import { describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { fakeTracing, silent } from '../../test/fakes/fake-parts.ts';
import { loneRouter } from '../../test/fakes/lone-router.ts';
import { RouterError } from '../core/errors.ts';
import { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import type { Observer } from '../core/observer.ts';
import type { Router } from '../routing/router.ts';
import { OpenCalls } from './open-calls.ts';
import { reasonStream } from './reason-stream.ts';

const MIB = 1_048_576;

/** Opens a stream to a router. */
function open(router: Router, observer: Observer = silent): { call: FakeCall<Buffer>; calls: OpenCalls } {
  const call = new FakeCall<Buffer>();
  const calls = new OpenCalls();
  const handler = reasonStream(router, {
    ...{ windowSize: 128, timeoutMs: 60_000, observer, tracing: fakeTracing() },
    ...{ calls, drained: new AbortController().signal, onInternalError: () => undefined },
  });
  handler(call);
  return { call, calls };
}

describe('a stream of large requests', () => {
  it('pauses while the open requests hold 16 MiB', async () => {
    const rejects: ((error: RouterError) => void)[] = [];
    const { call } = open(loneRouter(() => new Promise((_resolve, reject) => rejects.push(reject))));
    const tensor = { shape: [MIB / 4], dtype: 'FP32', data: Buffer.alloc(MIB) };
    const request = Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial({ tensor })).finish());
    for (let k = 0; k < 40; k += 1) call.push({ request });
    await new Promise(setImmediate);
    expect([rejects.length, call.isPaused]).toEqual([16, true]);

    rejects[0]!(new RouterError('NO_ENGINE', 'none'));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect([rejects.length, call.isPaused]).toEqual([17, true]);
  });
});

it('a stream stays open after the end of its input until every request is answered', async () => {
  const rejects: ((error: RouterError) => void)[] = [];
  const { call } = open(loneRouter(() => new Promise((_resolve, reject) => rejects.push(reject))));
  const request = Buffer.from(ReasonRequest.encode(ReasonRequest.fromPartial({ encoding: [1] })).finish());
  call.push({ request });
  call.push({ request });
  await new Promise(setImmediate);
  call.listener?.onEnd?.();
  const seen = [[call.answers.length, call.isOver]];
  for (const reject of rejects) {
    reject(new RouterError('NO_ENGINE', 'none'));
    await new Promise(setImmediate);
    seen.push([call.answers.length, call.isOver]);
  }
  expect(seen).toEqual([
    [0, false],
    [1, false],
    [2, true],
  ]);
});

describe('a stream of requests', () => {
  /** Opens a stream to a router that never answers; `ended` records how it is counted. */
  function openWatched(): {
    call: FakeCall<Buffer>;
    calls: OpenCalls;
    ended: [outcome: string, durationMs: number][];
    signals: AbortSignal[];
  } {
    const ended: [string, number][] = [];
    const signals: AbortSignal[] = [];
    const router = loneRouter((_question, { signal }) => {
      signals.push(signal as AbortSignal);
      return new Promise(() => undefined);
    });
    const requestEnded = (_method: string, outcome: string, durationMs: number): void =>
      void ended.push([outcome, durationMs]);
    return { ...open(router, { ...silent, requestEnded }), ended, signals };
  }

  it('is counted once, with its duration, if it is cut and ended repeatedly', async () => {
    const { call, ended, signals } = openWatched();
    call.push({ request: ReasonRequest.encode(ReasonRequest.fromPartial({ encoding: [1] })).finish() });
    await new Promise((resolve) => setTimeout(resolve, 20));
    call.cut();
    call.cut();
    call.listener?.onEnd?.();
    await new Promise(setImmediate);
    expect(ended.map(([outcome]) => outcome)).toEqual(['CANCELLED']);
    expect(ended[0]![1]).toBeGreaterThan(18);
    expect(ended[0]![1]).toBeLessThan(10_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('pauses while its caller reads no answers, and resumes when they are sent', async () => {
    const { call, signals } = openWatched();
    call.hasUnsent = true;
    call.push(new RouterError('INVALID_FIELD', 'a message that cannot be decoded'));
    call.push({ request: ReasonRequest.encode(ReasonRequest.fromPartial({ encoding: [1] })).finish() });
    await new Promise(setImmediate);
    expect([call.answers.length, call.isPaused, signals.length]).toEqual([1, true, 0]);
    call.hasUnsent = false;
    call.listener?.onDrain?.();
    await new Promise(setImmediate);
    expect([call.isPaused, signals.length]).toEqual([false, 1]);
  });

  it('does not delay a stop after it has ended', async () => {
    const { call, calls } = openWatched();
    call.listener?.onEnd?.();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const finished = await Promise.race([
      calls.finish(60_000).then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200)),
    ]);
    expect(finished).toBe(true);
  });
});
