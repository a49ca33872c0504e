// One computation for concurrent equal requests, and how each ends if it, or one of them, fails or leaves.
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  answerOf,
  Computations,
  build,
  caller,
  failing,
  giving,
  key,
  outcome,
  settle,
  unneeded,
} from '../../test/support/cache.ts';
import type { ErrorKind } from '../core/errors.ts';

describe('concurrent equal requests', () => {
  it('are computed once, even 1,000 of them', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = Array.from({ length: 1_000 }, () =>
      outcome(answerOf(cache, key('q'), 'USE', caller(), work.compute)),
    );
    expect(work.started.length).toBe(1);
    work.started[0]!.succeed('x');
    const [first, ...others] = await Promise.all(answers);
    expect([first, ...new Set(others)]).toEqual(['MISS x', 'COALESCED x']);
  });

  it('do not share with another input of the same hash', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = ['aaa', 'bbb', 'aaa'].map((text) =>
      outcome(answerOf(cache, key(text), 'USE', caller(), work.compute)),
    );
    expect(work.started.length).toBe(2);
    work.started[1]!.succeed('y');
    work.started[0]!.succeed('x');
    expect(await Promise.all(answers)).toEqual(['MISS x', 'MISS y', 'COALESCED x']);
  });

  it('neither wait for a REFRESH nor delay it', async () => {
    const { cache } = build();
    const work = new Computations();
    for (const use of ['REFRESH', 'USE', 'REFRESH'] as const) {
      void outcome(answerOf(cache, key('q'), use, caller(), work.compute));
    }
    expect(work.started.length).toBe(3);
  });

  it('share an error that is caused by the question itself', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = [1, 2, 3].map(() => outcome(answerOf(cache, key('q'), 'USE', caller(), work.compute)));
    work.started[0]!.fail('NON_FINITE');
    expect(await Promise.all(answers)).toEqual(['NON_FINITE', 'NON_FINITE', 'NON_FINITE']);
    expect(work.started.length).toBe(1);
  });

  it('are computed again if one comes after an error', async () => {
    const { cache } = build();
    await outcome(answerOf(cache, key('q'), 'USE', caller(), failing('VOTE_DISPUTED')));
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), giving('x')))).toBe('MISS x');
  });
});

describe('a caller that leaves', () => {
  it('gets an error at once, and the computation continues for the others', async () => {
    const { cache } = build();
    const work = new Computations();
    const leader = caller();
    const [led, ...followed] = [leader, caller(), caller()].map((context) =>
      outcome(answerOf(cache, key('q'), 'USE', context, work.compute)),
    );
    leader.leave();
    expect(await led).toBe('CANCELLED');
    expect(work.started[0]!.context.signal.aborted).toBe(false);
    work.started[0]!.succeed('x');
    expect(await Promise.all(followed)).toEqual(['COALESCED x', 'COALESCED x']);
    expect(work.started.length).toBe(1);
  });

  it('cancels the computation if it was the last caller', async () => {
    const { cache } = build();
    const work = new Computations();
    const callers = [caller(), caller()];
    const answers = callers.map((context) => outcome(answerOf(cache, key('q'), 'USE', context, work.compute)));
    callers[0]!.leave();
    expect(work.started[0]!.context.signal.aborted).toBe(false);
    callers[1]!.leave('DEADLINE_EXCEEDED');
    expect(work.started[0]!.context.signal.reason).toMatchObject({ kind: 'DEADLINE_EXCEEDED' });
    expect(await Promise.all(answers)).toEqual(['CANCELLED', 'DEADLINE_EXCEEDED']);
  });

  it('leaves no computation that a later caller could join', async () => {
    const { cache } = build();
    const work = new Computations();
    const first = caller();
    void outcome(answerOf(cache, key('q'), 'USE', first, work.compute));
    first.leave();
    const second = outcome(answerOf(cache, key('q'), 'USE', caller(), work.compute));
    expect(work.started.length).toBe(2);
    await settle();
    // The end of the cancelled computation must not remove the second one.
    expect(cache.stats.flights).toBe(1);
    work.started[1]!.succeed('x');
    expect(await second).toBe('MISS x');
  });

  it('gets INTERNAL if its signal has another reason than a RouterError', async () => {
    const { cache } = build();
    const controller = new AbortController();
    const answer = outcome(
      answerOf(cache, key('q'), 'USE', { deadlineMs: Infinity, signal: controller.signal }, new Computations().compute),
    );
    controller.abort();
    expect(await answer).toBe('INTERNAL'); // the reason of the abort was not a RouterError
  });

  it('before it came does not start a computation', async () => {
    const { cache } = build();
    const gone = caller();
    gone.leave();
    expect(await outcome(answerOf(cache, key('q'), 'USE', gone, unneeded))).toBe('CANCELLED');
  });
});

describe('a deadline', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it('of the computation is that of the first caller', () => {
    const { cache } = build();
    const work = new Computations();
    for (const deadlineMs of [500, 900]) {
      void outcome(answerOf(cache, key('q'), 'USE', caller(deadlineMs), work.compute));
    }
    expect(work.started.map(({ context }) => context.deadlineMs)).toEqual([500]);
  });

  it('of a follower ends only the follower if it is earlier', async () => {
    jest.useFakeTimers();
    const { cache } = build();
    const work = new Computations();
    const led = outcome(answerOf(cache, key('q'), 'USE', caller(500), work.compute));
    const followed = outcome(answerOf(cache, key('q'), 'USE', caller(100), work.compute));
    await jest.advanceTimersByTimeAsync(100);
    expect(await followed).toBe('DEADLINE_EXCEEDED');
    work.started[0]!.succeed('x');
    expect(await led).toBe('MISS x');
  });

  it('leaves no timer after the answer', async () => {
    jest.useFakeTimers();
    const { cache } = build();
    const work = new Computations();
    const answers = [500, 100].map((deadlineMs) =>
      outcome(answerOf(cache, key('q'), 'USE', caller(deadlineMs), work.compute)),
    );
    expect(jest.getTimerCount()).toBe(1);
    work.started[0]!.succeed('x');
    await Promise.all(answers);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each<ErrorKind>(['DEADLINE_EXCEEDED', 'CANCELLED'])(
    'of the leader (%s) makes the next caller with more time the leader',
    async (kind) => {
      const { cache, clock } = build();
      const work = new Computations();
      const answers = [500, 900, 1_000].map((deadlineMs) =>
        outcome(answerOf(cache, key('q'), 'USE', caller(deadlineMs), work.compute)),
      );
      clock.ms = 500;
      work.started[0]!.fail(kind);
      await settle();
      expect(work.started.map(({ context }) => context.deadlineMs)).toEqual([500, 900]);
      work.started[1]!.succeed('x');
      expect(await Promise.all(answers)).toEqual([kind, 'MISS x', 'COALESCED x']);
    },
  );

  it('of all callers fails all without a retry', async () => {
    const { cache } = build();
    const work = new Computations();
    const answers = [1, 2, 3].map(() => outcome(answerOf(cache, key('q'), 'USE', caller(500), work.compute)));
    work.started[0]!.fail('DEADLINE_EXCEEDED');
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['DEADLINE_EXCEEDED']));
    expect(work.started.length).toBe(1);
  });

  it('of a follower that has passed, too, fails the follower', async () => {
    const { cache, clock } = build();
    const work = new Computations();
    const answers = [500, 501].map((deadlineMs) =>
      outcome(answerOf(cache, key('q'), 'USE', caller(deadlineMs), work.compute)),
    );
    clock.ms = 502;
    work.started[0]!.fail('DEADLINE_EXCEEDED');
    expect(await Promise.all(answers)).toEqual(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
    expect(work.started.length).toBe(1);
  });

  it('of several leaders in turn does not fail a follower with more time', async () => {
    const { cache, clock } = build();
    const work = new Computations();
    const answers = [1, 2, 3, 4, 5].map((n) =>
      outcome(answerOf(cache, key('q'), 'USE', caller(n * 100), work.compute)),
    );
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

describe('a transient failure of a shared computation', () => {
  it.each<ErrorKind>(['ENGINE_LOST', 'ENGINE_FULL', 'NO_ENGINE', 'ROUTER_FULL', 'INTERNAL'])(
    '(%s) fails only its leader',
    async (kind) => {
      const { cache } = build();
      const work = new Computations();
      const answers = [1, 2, 3].map(() => outcome(answerOf(cache, key('q'), 'USE', caller(), work.compute)));
      work.started[0]!.fail(kind);
      await settle();
      expect(work.started.length).toBe(2);
      work.started[1]!.succeed('x');
      expect(await Promise.all(answers)).toEqual([kind, 'MISS x', 'COALESCED x']);
    },
  );

  it('that occurs twice makes each follower compute alone', async () => {
    const { cache } = build();
    const work = new Computations();
    const contexts = [1, 2, 3, 4].map(() => caller());
    const answers = contexts.map((context) => outcome(answerOf(cache, key('q'), 'USE', context, work.compute)));
    work.started[0]!.fail('ENGINE_LOST');
    await settle();
    work.started[1]!.fail('ENGINE_LOST');
    await settle();
    expect(work.started.slice(2).map(({ context }) => context)).toEqual([contexts[2], contexts[3]]);
    work.started[2]!.succeed('x');
    work.started[3]!.fail('ENGINE_FAULT');
    expect(await Promise.all(answers)).toEqual(['ENGINE_LOST', 'ENGINE_LOST', 'MISS x', 'ENGINE_FAULT']);
  });

  it('may be thrown before a promise is returned', async () => {
    const { cache } = build();
    const broken = (): Promise<string> => {
      throw new Error('a bug');
    };
    expect(await outcome(answerOf(cache, key('q'), 'USE', caller(), broken))).toBe('INTERNAL');
    expect(cache.stats.flights).toBe(0);
  });
});

describe('after thousands of requests', () => {
  it('no computation and no listener is left', async () => {
    const { cache, clock } = build({ maxEntries: 10 });
    const lasting = caller();
    const kinds: ErrorKind[] = ['NON_FINITE', 'ENGINE_LOST', 'CANCELLED', 'DEADLINE_EXCEEDED'];
    for (let n = 0; n < 2_000; n += 1) {
      clock.ms += 1;
      const work = n % 3 === 0 ? failing(kinds[n % 4]!) : giving('x');
      const askedKey = { scope: 's', hash: BigInt(n % 50), data: Buffer.from(`${n % 100}`) };
      const leaving = caller();
      const answers = [lasting, leaving, lasting].map((context) =>
        outcome(answerOf(cache, askedKey, n % 7 === 0 ? 'REFRESH' : 'USE', context, work)),
      );
      if (n % 5 === 0) leaving.leave();
      await Promise.all(answers);
      expect(getEventListeners(leaving.signal as AbortSignal, 'abort')).toEqual([]);
    }
    expect(cache.stats).toMatchObject({ flights: 0, entries: 10 });
    expect(getEventListeners(lasting.signal as AbortSignal, 'abort')).toEqual([]);
  });
});
