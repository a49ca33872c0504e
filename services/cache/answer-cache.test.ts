import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { AnswerCache, type CachedAnswer, type CacheKey } from './answer-cache.ts';
import { ENTRY_OVERHEAD_BYTES, type KeptOptions } from './kept-answers.ts';

const TTL_MS = 100;
const STALE_MS = 1_000;

class Clock {
  ms = 0;
  readonly now = (): number => this.ms;
}

function build(over: Partial<KeptOptions<string>> = {}): { cache: AnswerCache<string>; clock: Clock } {
  const clock = new Clock();
  const sizeOf = (value: string): number => value.length;
  const options = { maxEntries: 1_000, maxBytes: 1e9, ttlMs: TTL_MS, staleMs: STALE_MS, sizeOf, ...over };
  return { cache: new AnswerCache<string>(options, clock.now), clock };
}

/** Keys of equal text are equal; the hash is the text's length, so that keys of one length collide. */
function key(text: string, scope = 'model'): CacheKey {
  return { scope, hash: BigInt(text.length), data: Buffer.from(text) };
}

type Caller = CallContext & { leave: (kind?: ErrorKind) => void };

function caller(deadlineMs = Infinity): Caller {
  const controller = new AbortController();
  const leave = (kind: ErrorKind = 'CANCELLED'): void => controller.abort(new RouterError(kind, 'left'));
  return { deadlineMs, signal: controller.signal, leave };
}

/** Computations that end when the test says so. */
class Computations {
  readonly started: {
    context: CallContext;
    succeed: (value: string) => void;
    fail: (kind: ErrorKind) => void;
  }[] = [];

  readonly compute = (context: CallContext): Promise<string> =>
    new Promise((resolve, reject) => {
      const fail = (kind: ErrorKind): void => reject(new RouterError(kind, 'failed'));
      this.started.push({ context, succeed: resolve, fail });
      context.signal.addEventListener('abort', () => reject(RouterError.from(context.signal.reason)));
    });
}

const giving = (value: string) => () => Promise.resolve(value);
const failing = (kind: ErrorKind) => () => Promise.reject(new RouterError(kind, 'failed'));
const unneeded = (): Promise<string> => Promise.reject(new Error('computed without need'));

/** "MISS x", or the kind of the error. */
async function outcome(answer: Promise<CachedAnswer<string>>): Promise<string> {
  return await answer.then(
    ({ status, value }) => `${status} ${value}`,
    (error: unknown) => (error as RouterError).kind,
  );
}

/** Lets everything happen that needs no more than promises. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a kept answer', () => {
  it('answers the same question again', async () => {
    const { cache } = build();
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), giving('x')))).toBe('MISS x');
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), unneeded))).toBe('HIT x');
  });

  it('does not answer another input with the same hash', async () => {
    const { cache } = build();
    await cache.answer(key('aaa'), 'USE', caller(), giving('x'));
    expect(await outcome(cache.answer(key('bbb'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('does not answer the same input in another scope', async () => {
    const { cache } = build();
    await cache.answer(key('q', 'model 1'), 'USE', caller(), giving('x'));
    expect(await outcome(cache.answer(key('q', 'model 2'), 'USE', caller(), giving('y')))).toBe('MISS y');
    expect(await outcome(cache.answer(key('q', 'model 1'), 'USE', caller(), unneeded))).toBe('HIT x');
  });

  it('does not change when the caller’s bytes do', async () => {
    const { cache } = build();
    const asked = key('aaa');
    await cache.answer(asked, 'USE', caller(), giving('x'));
    asked.data.fill(98);
    expect(await outcome(cache.answer(key('aaa'), 'USE', caller(), unneeded))).toBe('HIT x');
    expect(await outcome(cache.answer(key('bbb'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('is fresh until its time is up', async () => {
    const { cache, clock } = build();
    await cache.answer(key('q'), 'USE', caller(), giving('x'));
    clock.ms = TTL_MS - 1;
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), unneeded))).toBe('HIT x');
    clock.ms = TTL_MS;
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('does not live longer for being used', async () => {
    const { cache, clock } = build();
    await cache.answer(key('q'), 'USE', caller(), giving('x'));
    for (clock.ms = 0; clock.ms < TTL_MS; clock.ms += 10) await cache.answer(key('q'), 'USE', caller(), unneeded);
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), giving('y')))).toBe('MISS y');
  });

  it('is not made of an error', async () => {
    const { cache } = build();
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), failing('NON_FINITE')))).toBe('NON_FINITE');
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), giving('x')))).toBe('MISS x');
  });

  it('is replaced by REFRESH, which computes under the caller’s own limits', async () => {
    const { cache } = build();
    await cache.answer(key('q'), 'USE', caller(), giving('x'));
    const context = caller();
    const compute = jest.fn((_context: CallContext) => Promise.resolve('y'));
    expect(await outcome(cache.answer(key('q'), 'REFRESH', context, compute))).toBe('MISS y');
    expect(compute).toHaveBeenCalledWith(context);
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), unneeded))).toBe('HIT y');
  });

  it('outlives a REFRESH that fails, and does not stand in for it', async () => {
    const { cache } = build();
    await cache.answer(key('q'), 'USE', caller(), giving('x'));
    expect(await outcome(cache.answer(key('q'), 'REFRESH', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), unneeded))).toBe('HIT x');
  });
});

describe('a stale answer', () => {
  async function withStale(): Promise<{ cache: AnswerCache<string>; clock: Clock }> {
    const built = build();
    await built.cache.answer(key('q'), 'USE', caller(), giving('old'));
    built.clock.ms = TTL_MS;
    return built;
  }

  it.each<ErrorKind>(['NO_ENGINE', 'VOTE_TOO_FEW', 'ROUTER_FULL', 'ENGINE_FULL'])('stands in for %s', async (kind) => {
    const { cache } = await withStale();
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), failing(kind)))).toBe('STALE old');
  });

  it.each<ErrorKind>(['VOTE_DISPUTED', 'MODEL_INVALID', 'INTERNAL', 'ENGINE_FAULT', 'CANCELLED', 'DEADLINE_EXCEEDED'])(
    'does not stand in for %s',
    async (kind) => {
      const { cache } = await withStale();
      expect(await outcome(cache.answer(key('q'), 'USE', caller(), failing(kind)))).toBe(kind);
    },
  );

  it('is given for so long and no longer', async () => {
    const { cache, clock } = await withStale();
    clock.ms = TTL_MS + STALE_MS - 1;
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), failing('NO_ENGINE')))).toBe('STALE old');
    clock.ms = TTL_MS + STALE_MS;
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
  });

  it('is given only after an engine was tried, each time', async () => {
    const { cache } = await withStale();
    await cache.answer(key('q'), 'USE', caller(), failing('NO_ENGINE'));
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), giving('new')))).toBe('MISS new');
  });

  it('is not given to REFRESH', async () => {
    const { cache } = await withStale();
    expect(await outcome(cache.answer(key('q'), 'REFRESH', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
  });

  it('is not given to another input with the same hash', async () => {
    const { cache } = await withStale();
    expect(await outcome(cache.answer(key('p'), 'USE', caller(), failing('NO_ENGINE')))).toBe('NO_ENGINE');
  });

  it('is given to followers too, without trying once more', async () => {
    const { cache } = await withStale();
    const work = new Computations();
    const answers = [1, 2, 3].map(() => outcome(cache.answer(key('q'), 'USE', caller(), work.compute)));
    work.started[0]!.fail('NO_ENGINE');
    expect(await Promise.all(answers)).toEqual(['STALE old', 'STALE old', 'STALE old']);
    expect(work.started.length).toBe(1);
  });

  it('is not given to one that has left, though the reason be that nobody can answer', async () => {
    const { cache } = await withStale();
    const leader = caller();
    const answer = outcome(cache.answer(key('q'), 'USE', leader, new Computations().compute));
    leader.leave('DRAINING');
    expect(await answer).toBe('DRAINING');
  });

  it('gives way to a fresh one that came meanwhile', async () => {
    const { cache } = await withStale();
    const work = new Computations();
    const answer = outcome(cache.answer(key('q'), 'USE', caller(), work.compute));
    await cache.answer(key('q'), 'REFRESH', caller(), giving('new'));
    work.started[0]!.fail('NO_ENGINE');
    expect(await answer).toBe('HIT new');
  });
});

describe('the room', () => {
  it('is limited in entries: the least recently used leaves', async () => {
    const { cache } = build({ maxEntries: 2 });
    for (const text of ['a', 'bb', 'a', 'ccc']) await cache.answer(key(text), 'USE', caller(), giving(text));
    expect(cache.stats).toMatchObject({ entries: 2, evictions: 1 });
    expect(await outcome(cache.answer(key('a'), 'USE', caller(), unneeded))).toBe('HIT a');
    expect(await outcome(cache.answer(key('bb'), 'USE', caller(), giving('again')))).toBe('MISS again');
  });

  it('is limited in bytes of inputs, answers and overhead', async () => {
    const entry = ENTRY_OVERHEAD_BYTES + 200;
    const { cache } = build({ maxBytes: 2 * entry + 1 });
    for (const n of [99, 100, 101]) {
      const [text, value] = ['i'.repeat(n), 'o'.repeat(200 - n)];
      await cache.answer(key(text), 'USE', caller(), giving(value));
    }
    expect(cache.stats).toMatchObject({ entries: 2, bytes: 2 * entry, evictions: 1 });
  });

  it('is not taken by what would not fit even alone', async () => {
    const { cache } = build({ maxBytes: 10_000 });
    await cache.answer(key('small'), 'USE', caller(), giving('x'));
    expect(await outcome(cache.answer(key('large'), 'USE', caller(), giving('x'.repeat(10_000))))).toMatch('MISS x');
    expect(cache.stats).toMatchObject({ entries: 0, evictions: 0 });
    await cache.answer(key('other one'), 'USE', caller(), giving('x'));
    await cache.answer(key('a large one'), 'USE', caller(), giving('x'.repeat(10_000)));
    expect(await outcome(cache.answer(key('other one'), 'USE', caller(), unneeded))).toBe('HIT x');
  });

  it('is not reserved for more entries than the bytes can hold', () => {
    const began = process.memoryUsage().rss;
    build({ maxEntries: 10_000_000, maxBytes: 1_024 });
    expect(process.memoryUsage().rss - began).toBeLessThan(50e6);
  });

  it('is not used at all where answers are never fresh and never stale', async () => {
    const { cache } = build({ ttlMs: 0, staleMs: 0 });
    await cache.answer(key('q'), 'USE', caller(), giving('x'));
    expect(cache.stats.entries).toBe(0);
  });
});

describe('equal requests under way', () => {
  it('are computed once, 1,000 of them', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = Array.from({ length: 1_000 }, () => outcome(cache.answer(key('q'), 'USE', caller(), work.compute)));
    expect(work.started.length).toBe(1);
    work.started[0]!.succeed('x');
    const [first, ...others] = await Promise.all(answers);
    expect([first, ...new Set(others)]).toEqual(['MISS x', 'COALESCED x']);
  });

  it('are told apart from another input with the same hash, which computes for itself', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = ['aaa', 'bbb', 'aaa'].map((text) =>
      outcome(cache.answer(key(text), 'USE', caller(), work.compute)),
    );
    expect(work.started.length).toBe(2);
    work.started[1]!.succeed('y');
    work.started[0]!.succeed('x');
    expect(await Promise.all(answers)).toEqual(['MISS x', 'MISS y', 'COALESCED x']);
  });

  it('do not wait for a REFRESH, nor does it wait for them', async () => {
    const { cache } = build();
    const work = new Computations();
    for (const use of ['REFRESH', 'USE', 'REFRESH'] as const) {
      void outcome(cache.answer(key('q'), use, caller(), work.compute));
    }
    expect(work.started.length).toBe(3);
  });

  it('share what refuses the question itself', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = [1, 2, 3].map(() => outcome(cache.answer(key('q'), 'USE', caller(), work.compute)));
    work.started[0]!.fail('NON_FINITE');
    expect(await Promise.all(answers)).toEqual(['NON_FINITE', 'NON_FINITE', 'NON_FINITE']);
    expect(work.started.length).toBe(1);
  });

  it('are computed again when the question comes after the answer was refused', async () => {
    const { cache } = build();
    await outcome(cache.answer(key('q'), 'USE', caller(), failing('VOTE_DISPUTED')));
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), giving('x')))).toBe('MISS x');
  });
});

describe('a caller that leaves', () => {
  it('is told at once, while the computation goes on for those who follow, still as one', async () => {
    const { cache } = build();
    const work = new Computations();
    const leader = caller();
    const [led, ...followed] = [leader, caller(), caller()].map((context) =>
      outcome(cache.answer(key('q'), 'USE', context, work.compute)),
    );
    leader.leave();
    expect(await led).toBe('CANCELLED');
    expect(work.started[0]!.context.signal.aborted).toBe(false);
    work.started[0]!.succeed('x');
    expect(await Promise.all(followed)).toEqual(['COALESCED x', 'COALESCED x']);
    expect(work.started.length).toBe(1);
  });

  it('cancels the computation if it was the last one', async () => {
    const { cache } = build();
    const work = new Computations();
    const callers = [caller(), caller()];
    const answers = callers.map((context) => outcome(cache.answer(key('q'), 'USE', context, work.compute)));
    callers[0]!.leave();
    expect(work.started[0]!.context.signal.aborted).toBe(false);
    callers[1]!.leave('DEADLINE_EXCEEDED');
    expect(work.started[0]!.context.signal.reason).toMatchObject({ kind: 'DEADLINE_EXCEEDED' });
    expect(await Promise.all(answers)).toEqual(['CANCELLED', 'DEADLINE_EXCEEDED']);
  });

  it('leaves nothing that a later one could join', async () => {
    const { cache } = build();
    const work = new Computations();
    const first = caller();
    void outcome(cache.answer(key('q'), 'USE', first, work.compute));
    first.leave();
    const second = outcome(cache.answer(key('q'), 'USE', caller(), work.compute));
    expect(work.started.length).toBe(2);
    await settle();
    // The end of the cancelled computation is not the end of the second one.
    expect(cache.stats.flights).toBe(1);
    work.started[1]!.succeed('x');
    expect(await second).toBe('MISS x');
  });

  it('gets what its signal says, in the terms of the router', async () => {
    const { cache } = build();
    const controller = new AbortController();
    const answer = outcome(
      cache.answer(key('q'), 'USE', { deadlineMs: Infinity, signal: controller.signal }, new Computations().compute),
    );
    controller.abort();
    expect(await answer).toBe('INTERNAL'); // the abort's own reason was no RouterError
  });

  it('before it came does not begin a computation', async () => {
    const { cache } = build();
    const gone = caller();
    gone.leave();
    expect(await outcome(cache.answer(key('q'), 'USE', gone, unneeded))).toBe('CANCELLED');
  });
});

describe('a deadline', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('of the computation is its leader’s', () => {
    const { cache } = build();
    const work = new Computations();
    for (const deadlineMs of [500, 900]) {
      void outcome(cache.answer(key('q'), 'USE', caller(deadlineMs), work.compute));
    }
    expect(work.started.map(({ context }) => context.deadlineMs)).toEqual([500]);
  });

  it('of a follower that comes before the leader’s is the follower’s own', async () => {
    jest.useFakeTimers();
    const { cache } = build();
    const work = new Computations();
    const led = outcome(cache.answer(key('q'), 'USE', caller(500), work.compute));
    const followed = outcome(cache.answer(key('q'), 'USE', caller(100), work.compute));
    await jest.advanceTimersByTimeAsync(100);
    expect(await followed).toBe('DEADLINE_EXCEEDED');
    work.started[0]!.succeed('x');
    expect(await led).toBe('MISS x');
  });

  it('that is kept leaves no timer behind', async () => {
    jest.useFakeTimers();
    const { cache } = build();
    const work = new Computations();
    const answers = [500, 100].map((deadlineMs) =>
      outcome(cache.answer(key('q'), 'USE', caller(deadlineMs), work.compute)),
    );
    expect(jest.getTimerCount()).toBe(1);
    work.started[0]!.succeed('x');
    await Promise.all(answers);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each<ErrorKind>(['DEADLINE_EXCEEDED', 'CANCELLED'])(
    'of the leader that has passed (%s) makes the first of those with more time lead on',
    async (kind) => {
      const { cache, clock } = build();
      const work = new Computations();
      const answers = [500, 900, 1_000].map((deadlineMs) =>
        outcome(cache.answer(key('q'), 'USE', caller(deadlineMs), work.compute)),
      );
      clock.ms = 500;
      work.started[0]!.fail(kind);
      await settle();
      expect(work.started.map(({ context }) => context.deadlineMs)).toEqual([500, 900]);
      work.started[1]!.succeed('x');
      expect(await Promise.all(answers)).toEqual([kind, 'MISS x', 'COALESCED x']);
    },
  );

  it('that all share fails all, without another try', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = [1, 2, 3].map(() => outcome(cache.answer(key('q'), 'USE', caller(500), work.compute)));
    work.started[0]!.fail('DEADLINE_EXCEEDED');
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['DEADLINE_EXCEEDED']));
    expect(work.started.length).toBe(1);
  });

  it('that has passed as well by the time the leader fails ends a follower’s waiting too', async () => {
    const { cache, clock } = build();
    const work = new Computations();
    const answers = [500, 501].map((deadlineMs) =>
      outcome(cache.answer(key('q'), 'USE', caller(deadlineMs), work.compute)),
    );
    clock.ms = 502;
    work.started[0]!.fail('DEADLINE_EXCEEDED');
    expect(await Promise.all(answers)).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
    expect(work.started.length).toBe(1);
  });

  it('that passes again and again does not use up a follower’s patience', async () => {
    const { cache, clock } = build();
    const work = new Computations();
    const answers = [1, 2, 3, 4, 5].map((n) => outcome(cache.answer(key('q'), 'USE', caller(n * 100), work.compute)));
    for (let n = 0; n < 4; n += 1) {
      clock.ms = (n + 1) * 100;
      work.started[n]!.fail('DEADLINE_EXCEEDED');
      await settle();
      expect(work.started.length).toBe(n + 2);
    }
    work.started[4]!.succeed('x');
    expect(await answers[4]).toBe('MISS x');
  });
});

describe('a shared computation that fails as it might not the next time', () => {
  it.each<ErrorKind>(['ENGINE_LOST', 'ENGINE_FULL', 'NO_ENGINE', 'ROUTER_FULL', 'INTERNAL'])(
    '(%s) fails its leader only',
    async (kind) => {
      const { cache } = build();
      const work = new Computations();
      const answers = [1, 2, 3].map(() => outcome(cache.answer(key('q'), 'USE', caller(), work.compute)));
      work.started[0]!.fail(kind);
      await settle();
      expect(work.started.length).toBe(2);
      work.started[1]!.succeed('x');
      expect(await Promise.all(answers)).toEqual([kind, 'MISS x', 'COALESCED x']);
    },
  );

  it('twice lets each follower compute for itself', async () => {
    const { cache } = build();
    const work = new Computations();
    const contexts = [1, 2, 3, 4].map(() => caller());
    const answers = contexts.map((context) => outcome(cache.answer(key('q'), 'USE', context, work.compute)));
    work.started[0]!.fail('ENGINE_LOST');
    await settle();
    work.started[1]!.fail('ENGINE_LOST');
    await settle();
    expect(work.started.slice(2).map(({ context }) => context)).toEqual([contexts[2], contexts[3]]);
    work.started[2]!.succeed('x');
    work.started[3]!.fail('ENGINE_FAULT');
    expect(await Promise.all(answers)).toEqual(['ENGINE_LOST', 'ENGINE_LOST', 'MISS x', 'ENGINE_FAULT']);
  });

  it('may also throw before it returns a promise', async () => {
    const { cache } = build();
    const broken = (): Promise<string> => {
      throw new Error('a bug');
    };
    expect(await outcome(cache.answer(key('q'), 'USE', caller(), broken))).toBe('INTERNAL');
    expect(cache.stats.flights).toBe(0);
  });
});

describe('after thousands of requests', () => {
  it('no computation is left to join and no listener on a signal that lives on', async () => {
    const { cache, clock } = build({ maxEntries: 10 });
    const lasting = caller();
    const kinds: ErrorKind[] = ['NON_FINITE', 'ENGINE_LOST', 'CANCELLED', 'DEADLINE_EXCEEDED'];
    for (let n = 0; n < 2_000; n += 1) {
      clock.ms += 1;
      const work = n % 3 === 0 ? failing(kinds[n % 4]!) : giving('x');
      const asked = { scope: 's', hash: BigInt(n % 50), data: Buffer.from(`${n % 100}`) };
      const leaving = caller();
      const answers = [lasting, leaving, lasting].map((context) =>
        outcome(cache.answer(asked, n % 7 === 0 ? 'REFRESH' : 'USE', context, work)),
      );
      if (n % 5 === 0) leaving.leave();
      await Promise.all(answers);
      expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    }
    expect(cache.stats).toMatchObject({ flights: 0, entries: 10 });
    expect(getEventListeners(lasting.signal, 'abort')).toEqual([]);
  });
});

describe('the cache as a whole', () => {
  // The last two collide.
  const KEYS = [key('a'.repeat(10)), key('b'.repeat(1_000)), key('c'.repeat(2_000)), key('d'.repeat(2_000))];
  const anyStep = fc.record({
    key: fc.nat(KEYS.length - 1),
    use: fc.constantFrom('USE' as const, 'USE' as const, 'USE' as const, 'REFRESH' as const),
    waitMs: fc.constantFrom(0, 0, 50, TTL_MS, STALE_MS),
    result: fc.oneof(
      { weight: 3, arbitrary: fc.record({ bytes: fc.constantFrom(3, 1_000, 20_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom<ErrorKind>('NO_ENGINE', 'NON_FINITE', 'INTERNAL') }) },
    ),
  });

  it('does what a list that is searched from end to end does', async () => {
    const limits = { maxEntries: 3, maxBytes: 6_000 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
        const { cache, clock } = build(limits);
        // Least recently used first.
        let model: { hash: bigint; key: number; value: string; size: number; atMs: number }[] = [];
        for (const [n, step] of steps.entries()) {
          clock.ms += step.waitMs;
          const { hash, data } = KEYS[step.key]!;
          const value = 'bytes' in step.result ? `${n}`.padEnd(step.result.bytes) : '';
          const answer = await outcome(
            cache.answer(
              KEYS[step.key]!,
              step.use,
              caller(),
              'kind' in step.result ? failing(step.result.kind) : giving(value),
            ),
          );

          const there = model.find((entry) => entry.hash === hash);
          if (there && step.use === 'USE') model = [...model.filter((entry) => entry !== there), there];
          const known = there?.key === step.key && step.use === 'USE' ? there : undefined;
          const age = clock.ms - (known?.atMs ?? -Infinity);
          if (known && age < TTL_MS) {
            expect(answer).toBe(`HIT ${known.value}`);
          } else if ('bytes' in step.result) {
            expect(answer).toBe(`MISS ${value}`);
            model = model.filter((entry) => entry !== there);
            const size = ENTRY_OVERHEAD_BYTES + data.length + value.length;
            if (size <= limits.maxBytes) model.push({ hash, key: step.key, value, size, atMs: clock.ms });
            const bytes = (): number => model.reduce((sum, entry) => sum + entry.size, 0);
            while (model.length > limits.maxEntries || bytes() > limits.maxBytes) model.shift();
            expect(cache.stats).toMatchObject({ entries: model.length, bytes: bytes() });
          } else {
            const isStale = known && age < TTL_MS + STALE_MS && step.result.kind === 'NO_ENGINE';
            expect(answer).toBe(isStale ? `STALE ${known.value}` : step.result.kind);
          }
        }
      }),
    );
  });

  it('answers everyone who stays with the answer to its own question, in whatever order things happen', async () => {
    const anyCaller = fc.record({
      key: fc.nat(KEYS.length - 1),
      use: fc.constantFrom('USE' as const, 'USE' as const, 'REFRESH' as const),
      leaves: fc.boolean(),
    });
    const anyFailures = fc.array(
      fc.constantFrom<ErrorKind | undefined>(undefined, undefined, 'ENGINE_LOST', 'NO_ENGINE', 'DEADLINE_EXCEEDED'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(anyCaller, { maxLength: 12 }),
        anyFailures,
        async (scheduler, callers, failures) => {
          const { cache } = build();
          const left = [...failures];
          const contexts = callers.map((_, n) => caller(1_000 + n));
          const answers = callers.map(async ({ key: k, use, leaves }, n) => {
            await scheduler.schedule(Promise.resolve(), `caller ${n} comes`);
            const answer = outcome(
              cache.answer(KEYS[k]!, use, contexts[n]!, async () => {
                await scheduler.schedule(Promise.resolve(), `computation for caller ${n} ends`);
                const kind = left.shift();
                if (kind) throw new RouterError(kind, 'failed');
                return `${k}`;
              }),
            );
            if (leaves)
              void scheduler.schedule(Promise.resolve(), `caller ${n} leaves`).then(() => contexts[n]!.leave());
            return await answer;
          });
          await scheduler.waitFor(Promise.all(answers));
          for (const [n, answer] of (await Promise.all(answers)).entries()) {
            const own = [`HIT ${callers[n]!.key}`, `MISS ${callers[n]!.key}`, `COALESCED ${callers[n]!.key}`];
            const refused = [
              ...failures.filter((kind) => kind !== undefined),
              ...(callers[n]!.leaves ? ['CANCELLED'] : []),
            ];
            expect([...own, ...refused]).toContain(answer);
            expect(getEventListeners(contexts[n]!.signal, 'abort')).toEqual([]);
          }
          await scheduler.waitIdle();
          expect(cache.stats.flights).toBe(0);
        },
      ),
    );
  });
});
