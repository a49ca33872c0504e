import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import type { CancelSignal } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { Code } from '../grpc/status.ts';
import { OpenCalls } from './open-calls.ts';
import { type UnaryContext, unary, whyCancelled } from './unary.ts';

const TOOK_MS = 20;

let ended: [method: string, outcome: string, durationMs: number][];
let internal: string[];
let calls: OpenCalls;
let deadlineMs: number;
/** The latest call. */
let call: FakeCall<unknown>;

beforeEach(() => {
  ended = [];
  internal = [];
  calls = new OpenCalls();
  deadlineMs = Infinity;
});

/** Calls a handler and resolves to the status code, or to its answer. */
function ask(handle: (context: UnaryContext) => unknown): Promise<unknown> {
  const options = {
    ...{ timeoutMs: 1_000, calls, onInternalError: (path: string) => void internal.push(path) },
    observer: { ...silent, requestEnded: (...each: (typeof ended)[number]) => void ended.push(each) },
  };
  const handler = unary<unknown, unknown>(options, (_request, context) => handle(context));
  return new Promise((resolve) => {
    const made: FakeCall<unknown> = new FakeCall((end) => resolve(end?.code ?? made.answers[0]));
    made.deadlineMs = deadlineMs;
    call = made;
    handler(call, {});
  });
}

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TOOK_MS));

describe('a unary call', () => {
  it.each<[string, string, (context: UnaryContext) => unknown]>([
    ['is answered', 'OK', () => later()],
    [
      'fails',
      'NO_ENGINE',
      async () => {
        await later();
        throw new RouterError('NO_ENGINE', 'none');
      },
    ],
  ])('that %s is counted once, under its method, with its duration', async (_, outcome, handle) => {
    const beganMs = performance.now();
    await ask(handle);
    expect(ended).toEqual([['Reason', outcome, expect.any(Number)]]);
    expect(ended[0]![2]).toBeGreaterThan(TOOK_MS - 2);
    expect(ended[0]![2]).toBeLessThanOrEqual(performance.now() - beganMs);
  });

  it('uses the default timeout, or its own deadline if that is earlier', async () => {
    const nowMs = performance.now();
    const leftMs = async (): Promise<number> => (await ask(({ deadlineMs }) => deadlineMs - nowMs)) as number;
    expect(await leftMs()).toBeGreaterThanOrEqual(1_000);
    deadlineMs = nowMs + 500;
    expect(await leftMs()).toBe(500);
  });

  it('is cancelled when its caller leaves, but not after it has ended', async () => {
    let received: CancelSignal | undefined;
    const answering = ask(({ signal }) => {
      received = signal;
      return later();
    });
    await Promise.resolve();
    call.cut();
    expect((received!.reason as RouterError).kind).toBe('CANCELLED');
    await answering;
    await ask(({ signal }) => void (received = signal));
    call.cut();
    expect(received!.aborted).toBe(false);
  });

  it('reports only unexpected errors as internal', async () => {
    expect(await ask(() => Promise.reject(new RouterError('NO_ENGINE', 'none')))).toBe(Code.UNAVAILABLE);
    expect(internal).toEqual([]);
    expect(await ask(() => Promise.reject(new Error('a bug')))).toBe(Code.INTERNAL);
    expect(internal).toEqual(['/tandem.v1.ReasoningService/Reason']);
  });

  it.each([true, false])('is awaited by a stop until it has ended (answered: %s)', async (isAnswered) => {
    let finish: () => void = () => undefined;
    const answering = ask(
      () => new Promise((resolve, reject) => (finish = () => (isAnswered ? resolve(1) : reject(new Error('x'))))),
    );
    await Promise.resolve();
    let isFinished = false;
    const finished = calls.finish(60_000).then(() => (isFinished = true));
    await new Promise(setImmediate);
    expect(isFinished).toBe(false);
    finish();
    await answering;
    await finished;
  });

  it('is cancelled when the grace period of a stop ends', async () => {
    const answering = ask(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(RouterError.from(signal.reason)))),
    );
    await Promise.resolve();
    await calls.finish(5);
    await answering;
    expect(ended.map(([, outcome]) => outcome)).toEqual(['DRAINING']);
  });
});

describe('whyCancelled', () => {
  it('returns DEADLINE_EXCEEDED close to the deadline, otherwise CANCELLED', () => {
    const nowMs = performance.now();
    expect([whyCancelled(nowMs + 8).kind, whyCancelled(nowMs + 1_000).kind]).toEqual([
      'DEADLINE_EXCEEDED',
      'CANCELLED',
    ]);
  });
});
