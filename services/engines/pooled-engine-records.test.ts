// What an engine of the pool records of its requests, one at a time and in groups.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { CallContext, InferenceListener } from '../core/inference.ts';
import { PooledEngine } from './pooled-engine.ts';

const INPUT = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

let nowMs: number;
let fake: FakeEngine;
let holders: PooledEngine[];
let engine: PooledEngine;
let freed: number;

beforeEach(() => {
  jest.useFakeTimers();
  nowMs = 1_000;
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  [freed, holders] = [0, []];
  fake = new FakeEngine('e');
  engine = pooled(fake);
  holders = [engine];
});

afterEach(() => {
  for (const { breaker } of [engine, ...holders]) breaker.stop();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function pooled(each: FakeEngine): PooledEngine {
  const free = (): void => void (freed += 1);
  return new PooledEngine(
    each.up(fakeModel()),
    fakePins,
    fakeBreaker,
    () => undefined,
    () => holders,
    free,
  );
}

/** The engine answers after `ms`, or with an error of this kind. */
function repliesAfter(ms: number, kind?: ErrorKind): void {
  fake.behaviour = () => {
    nowMs += ms;
    return kind === undefined ? Promise.resolve(fakeInference()) : Promise.reject(new RouterError(kind, 'no'));
  };
}

const { signal } = new AbortController();

/** Sends requests one after the other. `over`: of each one’s context. Returns the kinds of their errors, or 'OK'. */
async function send(count: number, over: Partial<CallContext> = {}, timeoutMs?: number): Promise<string[]> {
  const kinds: string[] = [];
  for (let n = 0; n < count; n += 1) {
    await engine.infer(INPUT, { deadlineMs: Infinity, signal, ...over }, timeoutMs).then(
      () => kinds.push('OK'),
      (error: unknown) => kinds.push((error as RouterError).kind),
    );
  }
  return kinds;
}

/** A request that the engine keeps for `ms`, as long as its caller waits. */
async function callerWaits(ms: number, count = 1): Promise<string[]> {
  const kinds: string[] = [];
  repliesAfter(ms, 'DEADLINE_EXCEEDED');
  for (let n = 0; n < count; n += 1) kinds.push(...(await send(1, { deadlineMs: nowMs + ms })));
  return kinds;
}

/** Adds another engine with the model, which has answered once after `ms`. */
async function addPeer(ms: number): Promise<[PooledEngine, FakeEngine]> {
  const other = new FakeEngine('peer');
  const peer = pooled(other);
  other.behaviour = () => {
    nowMs += ms;
    return Promise.resolve(fakeInference());
  };
  await peer.infer(INPUT, { deadlineMs: Infinity, signal });
  holders = [engine, peer];
  return [peer, other];
}

describe('an answered request', () => {
  it('is counted, with its time and the requests in flight', async () => {
    fake.inFlight = 3;
    repliesAfter(80);
    await send(1);
    expect([engine.succeeded, engine.failed, engine.expectedMs, engine.idleMs, freed]).toEqual([1, 0, 80, 0, 1]);
    nowMs += 7;
    expect(engine.idleMs).toBe(7);
  });

  it('ends at its attempt’s limit or at the caller’s deadline', async () => {
    await send(1, { deadlineMs: 1_500 }, 200);
    await send(1, { deadlineMs: 1_500 }, 900);
    expect(fake.calls.map(({ context }) => context.deadlineMs)).toEqual([1_200, 1_500]);
  });

  it('raises the limit of unanswered requests if that is reached', async () => {
    fake.inFlight = 63;
    repliesAfter(3);
    await send(60);
    expect(engine.limit.limit).toBe(96);
  });

  it('closes a half-open breaker', async () => {
    engine.breaker.trip('by hand');
    jest.advanceTimersByTime(500);
    await send(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(engine.breaker.state).toBe('CLOSED');
  });
});

describe('the expected time', () => {
  beforeEach(async () => {
    repliesAfter(20);
    await send(1);
  });

  it('of an attempt grows with the requests in flight and with those sent at once', () => {
    expect(engine.attemptMs(INPUT, 667, 64)).toBe(2 * 64 * 20);
    fake.inFlight = 63;
    expect(engine.attemptMs(INPUT, 667)).toBe(2 * 64 * 20);
  });

  it('of an attempt is at most its share if a peer answers within that', async () => {
    await addPeer(3);
    expect([engine.attemptMs(INPUT, 667, 64), engine.attemptMs(INPUT, 5_000, 64)]).toEqual([667, 2_560]);
  });

  it('of an answer includes the request itself', () => {
    fake.inFlight = 1;
    expect([engine.answersWithin(INPUT, 80), engine.answersWithin(INPUT, 79)]).toEqual([true, false]);
  });

  it('is that of the model’s version', () => {
    expect(engine.answersWithin({ ...INPUT, version: 2 }, 5_000)).toBe(false);
    expect(engine.answersWithin({ ...INPUT, model: 'n' }, 5_000)).toBe(false);
  });
});

describe('a request that fails', () => {
  it.each<[ErrorKind, number, number, number]>([
    ['ENGINE_FAULT', 1, 1_000, 1],
    ['ENGINE_LOST', 1, 1_000, 1],
    ['ENGINE_FULL', 0, 1_000, 1],
    ['INPUT_NOT_FINITE', 0, 1_000, 1],
    ['INPUT_TOO_LARGE', 0, 0, 1],
  ])('with %s counts %d times, and lets expect %d ms', async (kind, failed, expectedMs, rooms) => {
    repliesAfter(40, kind);
    expect(await send(1)).toEqual([kind]);
    expect([engine.succeeded, engine.failed, engine.expectedMs, freed]).toEqual([0, failed, expectedMs, rooms]);
  });

  it('because its caller left lets expect the time that it took', async () => {
    const left = new RouterError('CANCELLED', 'left');
    repliesAfter(40, 'CANCELLED');
    await send(1, { signal: AbortSignal.abort(left) });
    expect([engine.failed, engine.expectedMs]).toEqual([0, 40]);
  });

  it('makes the engine a failing one at the third time in a row', async () => {
    repliesAfter(1, 'ENGINE_FAULT');
    await send(2);
    expect(engine.isFailing).toBe(false);
    await send(1);
    expect(engine.isFailing).toBe(true);
  });

  it('reduces the limit of unanswered requests at once if the engine is full', async () => {
    fake.inFlight = 63;
    repliesAfter(1, 'ENGINE_FULL');
    await send(1);
    expect(engine.limit.limit).toBe(51);
  });

  it.each<ErrorKind>(['ENGINE_FAULT', 'ENGINE_LOST'])('reduces the limit if many fail with %s', async (kind) => {
    fake.inFlight = 63;
    repliesAfter(5, kind);
    await send(60);
    expect(engine.limit.limit).toBe(32);
  });

  it('reduces the limit if the time of many callers passes', async () => {
    fake.inFlight = 63;
    expect(new Set(await callerWaits(50, 60))).toEqual(new Set(['DEADLINE_EXCEEDED']));
    expect(engine.limit.limit).toBe(32);
  });

  it('does not reduce the limit if many were refused for their inputs', async () => {
    fake.inFlight = 63;
    repliesAfter(5, 'INPUT_NOT_FINITE');
    await send(60);
    expect(engine.limit.limit).toBe(64);
  });

  it('does not reduce the limit if the limits of many attempts were too short', async () => {
    const [peer, other] = await addPeer(1);
    other.behaviour = () => new Promise(() => undefined);
    void peer.infer(INPUT, { deadlineMs: Infinity, signal });
    fake.inFlight = 63;
    repliesAfter(150, 'DEADLINE_EXCEEDED');
    expect(new Set(await send(60, {}, 150))).toEqual(new Set(['ATTEMPT_TIMEOUT']));
    expect(engine.limit.limit).toBe(64);
  });

  it('ends the wait for an answer if it was the last one, unless its time has passed', async () => {
    repliesAfter(40, 'ENGINE_FULL');
    await send(1);
    expect(engine.isSilent(INPUT, 0)).toBe(false);
    await callerWaits(40);
    expect(engine.isSilent(INPUT, 0)).toBe(true);
  });

  it('is named in the trace of the request that opened the breaker', async () => {
    const events: unknown[][] = [];
    const span = { trace: { event: (...event: unknown[]) => events.push(event) } } as unknown as CallContext['span'];
    repliesAfter(100, 'ENGINE_FAULT');
    await send(4);
    await send(1, { span });
    const why = '5 requests in a row failed, the last with ENGINE_FAULT';
    expect(events).toEqual([['breaker opened', { 'tandem.engine': 'e', 'tandem.why': why }]]);
  });
});

describe('a timeout', () => {
  it('of callers is named like one of attempts when it opens the breaker', async () => {
    await addPeer(1);
    await callerWaits(100, 5);
    expect(engine.breaker.events.map(({ why }) => why)).toEqual([
      '5 requests in a row failed, the last with ENGINE_SLOW: no answer in time, while other engines were faster',
    ]);
  });

  it('of a caller is the engine’s fault only if a peer that may be asked is faster', async () => {
    const [peer] = await addPeer(1);
    expect(await callerWaits(150)).toEqual(['DEADLINE_EXCEEDED']);
    expect(engine.failed).toBe(1);
    peer.breaker.trip('by hand');
    expect(await callerWaits(150)).toEqual(['DEADLINE_EXCEEDED']);
    expect(engine.failed).toBe(1);
  });

  it('raises the estimate of an engine that has not answered yet', async () => {
    Object.assign(fake, { unanswered: { inputs: 37, forMs: 600 } });
    await callerWaits(600);
    expect(engine.attemptMs(INPUT, 10)).toBe(1_200);
  });

  it.each([
    [4, 1_200],
    [5, 10],
  ])('of an engine with %d unanswered inputs makes an attempt %d ms long', async (inputs, expectedMs) => {
    repliesAfter(3);
    await send(1);
    Object.assign(fake, { unanswered: { inputs, forMs: 1 } });
    await callerWaits(600);
    expect(engine.attemptMs(INPUT, 10)).toBe(expectedMs);
  });
});

describe('a group', () => {
  let results: string[];

  beforeEach(() => {
    results = [];
  });

  /** Sends a group of two, to which the engine replies like this. */
  function sendBoth(reply: (listener: InferenceListener) => void, deadlineMs = Infinity, timeoutMs = Infinity): void {
    const inferEach = (_: unknown, context: CallContext, listener: InferenceListener): void => {
      results.push(`until ${context.deadlineMs}`);
      reply(listener);
    };
    Object.assign(fake, { inferEach });
    engine.inferEach([INPUT, INPUT], { deadlineMs, signal }, timeoutMs, {
      answered: (index) => results.push(`${index} answered`),
      failed: (index, { kind }) => results.push(`${index} ${kind}`),
    });
  }

  it('is recorded input by input, each with those before it', () => {
    fake.inFlight = 2;
    sendBoth((listener) => {
      expect(engine.isSilent(INPUT, 0)).toBe(true);
      nowMs += 60;
      listener.answered(1, fakeInference());
    });
    expect([results.at(-1), engine.succeeded, engine.expectedMs, freed]).toEqual(['1 answered', 1, 45, 1]);
  });

  it('reduces the limit to the number of the input for which the engine was full', () => {
    fake.inFlight = 40;
    sendBoth((listener) => listener.failed(1, new RouterError('ENGINE_FULL', 'no')));
    expect([results.at(-1), engine.limit.limit, freed]).toEqual(['1 ENGINE_FULL', Math.floor(0.8 * 42), 1]);
  });

  it('ends at its attempt’s limit or at the caller’s deadline, and an engine that has no blame is told so', () => {
    const late = (listener: InferenceListener): void => {
      nowMs += 50;
      listener.failed(0, new RouterError('DEADLINE_EXCEEDED', 'late'));
    };
    sendBoth(late, 1_500, 50);
    sendBoth(late, 1_100, 50);
    expect(results).toEqual(['until 1050', '0 ATTEMPT_TIMEOUT', 'until 1100', '0 DEADLINE_EXCEEDED']);
  });

  it('counts for the breaker', async () => {
    for (let n = 0; n < 5; n += 1) {
      sendBoth((listener) => {
        listener.answered(0, fakeInference());
        listener.answered(1, fakeInference());
      });
    }
    for (let n = 0; n < 5; n += 1) sendBoth((listener) => listener.failed(0, new RouterError('ENGINE_FAULT', 'no')));
    await jest.advanceTimersByTimeAsync(0);
    expect([engine.breaker.state, engine.succeeded, engine.failed]).toEqual(['CLOSED', 10, 5]);
    for (let n = 0; n < 5; n += 1) sendBoth((listener) => listener.failed(0, new RouterError('ENGINE_FAULT', 'no')));
    await jest.advanceTimersByTimeAsync(0);
    expect(engine.breaker.state).toBe('OPEN');
  });
});
