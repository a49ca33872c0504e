import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeExecution, silent } from '../../../test/fakes/fake-parts.ts';
import { type HandDriven, askedOf, fourEngines } from '../../../test/fakes/hand-driven.ts';
import { RouterError } from '../../core/errors.ts';
import type { AttemptOptions } from '../attempt.ts';
import type { Execution, Outcome } from '../executor.ts';
import { LateAttempts } from '../late-attempts.ts';
import { RetryBudget } from '../retry-budget.ts';
import { failover } from './failover.ts';

let a: HandDriven;
let b: HandDriven;
let c: HandDriven;
let caller: AbortController;
let execution: Execution<HandDriven>;

beforeEach(() => {
  jest.useFakeTimers();
  renew();
  caller = new AbortController();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Engines for the next request. */
function renew(): void {
  [a, b, c] = fourEngines();
  b.isQuick = c.isQuick = true;
}

function start(over: Partial<AttemptOptions> = {}): Promise<Outcome<HandDriven>> {
  execution = fakeExecution([a, b, c], caller.signal, over);
  const answering = failover(execution);
  answering.catch(() => undefined);
  return answering;
}

const askedIds = (): string[] => askedOf([a, b, c]);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** Longer than an engine may take until it is late and the check that follows. */
const LATE_MS = 16;

describe('an engine that is late', () => {
  it('is waited for alone while it takes less than 10 ms', async () => {
    const answering = start();
    await pass(9);
    a.answer();
    expect((await answering).engine.id).toBe('a');
    await pass(1_000);
    expect(askedIds()).toEqual(['a']);
  });

  it('gets a backup, and the first answer counts', async () => {
    const answering = start();
    await pass(LATE_MS);
    expect(askedIds()).toEqual(['a', 'b']);
    b.answer();
    expect((await answering).engine.id).toBe('b');
  });

  it('is counted for each backup', async () => {
    const late: string[] = [];
    void start({ observer: { ...silent, engineLate: (id) => void late.push(id) } });
    await pass(2 * LATE_MS);
    expect(late).toEqual(['a', 'b']);
  });

  it('is not cancelled then, so that its end shows whether it is to blame', async () => {
    const answering = start();
    await pass(LATE_MS);
    b.answer();
    await answering;
    expect(a.signal?.aborted).toBe(false);
    a.fail('ENGINE_SLOW');
    await pass(0);
    expect(execution.attempts.map(({ engineId, outcome }) => [engineId, outcome])).toEqual([
      ['b', 'OK'],
      ['a', 'ENGINE_SLOW'],
    ]);
  });

  it('still gives the answer if it is first', async () => {
    const answering = start();
    await pass(LATE_MS);
    a.answer();
    expect((await answering).engine.id).toBe('a');
  });

  it('gets a second backup if the first is late, too', async () => {
    const answering = start();
    await pass(2 * LATE_MS);
    expect(askedIds()).toEqual(['a', 'b', 'c']);
    c.answer();
    expect((await answering).engine.id).toBe('c');
  });

  it.each([
    ['it answers other requests meanwhile', () => (a.answersOthers = true)],
    ['no other engine usually answers sooner', () => (b.isQuick = c.isQuick = false)],
    ['the engines that answer sooner have no free slot', () => (b.availableSlots = c.availableSlots = 0)],
    ['the engines that answer sooner are not usable', () => (b.isAvailable = c.isAvailable = false)],
  ])('gets none if %s', async (_, prepare) => {
    prepare();
    void start();
    await pass(500);
    expect(askedIds()).toEqual(['a']);
  });

  it('gets the first backup of the plan that usually answers sooner', async () => {
    b.isQuick = false;
    void start();
    await pass(LATE_MS);
    expect(askedIds()).toEqual(['a', 'c']);
  });

  it('gets none beyond max_attempts', async () => {
    void start({ maxAttempts: 1 });
    await pass(500);
    expect(askedIds()).toEqual(['a']);
  });

  it('gets one while half of the retry budget is left, and the rest is for failures', async () => {
    const budget = new RetryBudget(3, 0.001);
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      renew();
      c.isQuick = false;
      void start({ budget });
      await pass(500);
      expect([attempt, ...askedIds()]).toEqual([attempt, 'a', 'b']);
    }
    renew();
    c.isQuick = false;
    void start({ budget });
    await pass(500);
    expect(askedIds()).toEqual(['a']);
    a.fail('ENGINE_LOST');
    await pass(0);
    expect(askedIds()).toEqual(['a', 'b']);
  });

  it('gets none after 16 that did not help', async () => {
    const lateAttempts = new LateAttempts();
    const attempts: string[][] = [];
    for (let request = 1; request <= 17; request += 1) {
      renew();
      const answering = start({ lateAttempts });
      await pass(LATE_MS);
      attempts.push(askedIds());
      a.answer();
      await answering;
    }
    expect(attempts).toEqual([...Array<string[]>(16).fill(['a', 'b']), ['a']]);
  });

  it('gets one each time while they help', async () => {
    const lateAttempts = new LateAttempts();
    for (let request = 1; request <= 40; request += 1) {
      renew();
      const answering = start({ lateAttempts });
      await pass(LATE_MS);
      b.answer();
      expect((await answering).engine.id).toBe('b');
    }
  });

  it('gets none when the caller has left', async () => {
    const answering = start();
    await pass(5);
    caller.abort(new RouterError('CANCELLED', 'the caller has left'));
    await expect(answering).rejects.toMatchObject({ kind: 'CANCELLED' });
    await pass(500);
    expect(askedIds()).toEqual(['a']);
  });

  it('may fail while its backup runs, which then decides', async () => {
    c.isAvailable = false;
    const answering = start();
    await pass(LATE_MS);
    a.fail('ENGINE_LOST');
    await pass(0);
    b.answer();
    expect((await answering).engine.id).toBe('b');
  });

  it('decides if its backup fails and no other engine is left', async () => {
    c.isAvailable = false;
    const answering = start();
    await pass(LATE_MS);
    b.fail('ENGINE_LOST');
    await pass(0);
    a.answer();
    expect((await answering).engine.id).toBe('a');
  });

  it('and its backup may both fail: then the caller gets an error', async () => {
    c.isAvailable = false;
    const answering = start();
    await pass(LATE_MS);
    b.fail('ENGINE_LOST');
    a.fail('ENGINE_LOST');
    await expect(answering).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });
});
