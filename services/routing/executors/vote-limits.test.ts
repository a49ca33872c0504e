// How long a vote waits, which engines it asks, what it leaves behind, and the words of its errors. All clocks are fake.
import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PLAIN, a, b, c, caller, d, election, flush, outcomes, useElection } from '../../../test/fakes/election.ts';
import { fakeExecution } from '../../../test/fakes/fake-parts.ts';
import { HandDriven, askedOf } from '../../../test/fakes/hand-driven.ts';
import { RouterError } from '../../core/errors.ts';
import type { InferenceInput } from '../../core/inference.ts';
import type { VotePolicy } from '../../voting/policy.ts';
import { RetryBudget } from '../retry-budget.ts';
import { vote } from './vote.ts';

useElection();

beforeEach(() => {
  jest.useFakeTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const errorOf = (voting: Promise<unknown>): Promise<RouterError> =>
  voting.then(
    () => Promise.reject(new Error('the vote has a winner')),
    (thrown: unknown) => RouterError.from(thrown),
  );
/** Whether it has ended. */
function watch(voting: Promise<unknown>): { readonly over: boolean } {
  const watched = { over: false };
  const end = (): void => void (watched.over = true);
  voting.then(end, end);
  return watched;
}

describe('a vote that is decided', () => {
  it.each([
    [0, 5],
    [50, 50],
  ])('after %d ms gives the others another %d ms', async (decidedMs, graceMs) => {
    const voting = election([a, b, c]);
    const watched = watch(voting);
    await pass(decidedMs);
    for (const voter of [a, b]) voter.answer(7n);
    await pass(graceMs - 1);
    expect(watched.over).toBe(false);
    await pass(1);
    expect(watched.over).toBe(true);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c ABSENT CANCELLED']);
  });

  it('leaves no timer and no listener', async () => {
    const voting = election([a, b, c]);
    for (const voter of [a, b]) voter.answer(7n);
    await pass(1);
    c.answer(7n);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c AGREED']);
    expect([jest.getTimerCount(), getEventListeners(caller.signal, 'abort')]).toEqual([0, []]);
  });

  it('has a firm answer, unless it was accepted with too few', async () => {
    const voting = election([a, b]);
    for (const voter of [a, b]) voter.answer(7n);
    expect((await voting).isFirm).toBe(true);
    const few = election([c], { onFew: 'ACCEPT_DEGRADED' });
    c.answer(7n);
    expect((await few).isFirm).toBe(false);
  });
});

describe('a vote that waits for a slot', () => {
  it('leaves no timer, though it began to wait several times', async () => {
    c.availableSlots = 0;
    const voting = election([a, b, c, d], {
      participants: 4,
      agreement: { kind: 'UNANIMOUS' },
      onFew: 'ACCEPT_DEGRADED',
    });
    for (const voter of [a, b]) {
      await flush();
      voter.answer(7n);
    }
    await flush();
    c.isAvailable = false;
    d.fail('ENGINE_LOST');
    await voting;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('counts the engine as absent for the time that it waited, and does not ask it later', async () => {
    c.availableSlots = 0;
    const voting = election([a, b, c], { agreement: { kind: 'UNANIMOUS' }, onFew: 'ACCEPT_DEGRADED' });
    a.answer(7n);
    await pass(1_000);
    c.availableSlots = 1;
    b.answer(7n);
    const { ballots } = await voting;
    expect(c.wasAsked).toBe(false);
    expect(ballots.map(({ engineId, durationMs }) => [engineId, durationMs])).toEqual([
      ['a', expect.any(Number)],
      ['b', 1_000],
      ['c', 1_000],
    ]);
  });

  it('waits once, also if another engine has no slot, either', async () => {
    for (const full of [b, c]) full.availableSlots = 0;
    for (const local of [a, c]) local.kind = 'local';
    const voting = election([a, b, c], { participants: 2, distinctKinds: 2 });
    const watched = watch(voting);
    a.answer(7n);
    await pass(999);
    expect(watched.over).toBe(false);
    await pass(1);
    expect(watched.over).toBe(true);
    expect((await errorOf(voting)).kind).toBe('VOTE_TOO_FEW');
  });
});

describe('the engines of a vote', () => {
  it('are of the kinds that it needs', () => {
    c.kind = 'local';
    void election([a, b, c], { participants: 2, distinctKinds: 2 }).catch(() => undefined);
    expect(askedOf([a, b, c])).toEqual(['a', 'c']);
  });

  it('are not replaced after an error that no other engine could avoid', async () => {
    const voting = election([a, b, c, d]);
    a.fail('INTERNAL');
    await flush();
    expect(d.wasAsked).toBe(false);
    for (const voter of [b, c]) voter.answer(7n);
    await voting;
  });

  it.each<[string, Partial<VotePolicy>, Partial<InferenceInput>, boolean[]]>([
    ['but the first', {}, {}, [false, true, true]],
    ['unless layers are compared', {}, { detail: 'LAYERS' }, [false, false, false]],
    ['unless answers may differ', { compare: { kind: 'LABEL' } }, {}, [false, false, false]],
  ])('give digests only, %s', (_, over, detail, digests) => {
    const given: (boolean | undefined)[] = [];
    for (const voter of [a, b, c]) {
      voter.infer = ({ digestOnly }) => {
        given.push(digestOnly);
        return new Promise(() => undefined);
      };
    }
    const execution = fakeExecution([a, b, c], caller.signal, {}, { policy: { ...PLAIN, ...over } });
    void vote({ ...execution, input: { ...execution.input, ...detail } });
    expect(given).toEqual(digests);
  });
});

describe('the timeout of a ballot without a retry budget', () => {
  const budget = new RetryBudget(0, 0);

  /** Each timeout as a part of the caller’s time. */
  const partsOf = (engines: readonly HandDriven[]): number[] => engines.map(({ timeoutMs }) => timeoutMs! / 1_000);

  function start(plan: HandDriven[]): void {
    const context = { deadlineMs: performance.now() + 1_000, signal: caller.signal };
    void vote(fakeExecution(plan, caller.signal, { budget }, { context, policy: PLAIN })).catch(() => undefined);
  }

  it('is 0.8 of the time left, since no other engine may be asked', () => {
    start([a, b, c, d]);
    expect(partsOf([a, b, c])).toEqual([0.8, 0.8, 0.8]);
  });

  it('is half of the time left while an engine in place of a full one may be asked', async () => {
    const [e, f] = [new HandDriven('e'), new HandDriven('f')];
    start([a, b, c, d, e, f]);
    for (const full of [a, b]) full.fail('ENGINE_FULL');
    await flush();
    expect(partsOf([d, e])).toEqual([0.5, 0.8]);
    expect(f.wasAsked).toBe(false);
  });
});

describe('the error of a vote', () => {
  it('has each ballot: its digest, its refusal, or that it is absent', async () => {
    const voting = election([a, b, c]);
    a.answer(7n);
    b.fail('NON_FINITE', { step: '3' });
    c.fail('ENGINE_LOST');
    const { kind, metadata } = await errorOf(voting);
    expect([kind, metadata]).toEqual([
      'VOTE_DISPUTED',
      { ballots: 'a: 0000000000000007, b: NON_FINITE, step 3, c: absent' },
    ]);
  });

  it('says how many have voted', async () => {
    const voting = election([a, b, c]);
    a.answer(7n);
    for (const voter of [b, c]) voter.fail('ENGINE_LOST');
    expect((await errorOf(voting)).message).toMatch(/^a vote needs 2 engines and 1 voted: /);
  });

  it('has the failure of the last engine as its cause if all are full', async () => {
    const voting = election([a, b]);
    a.fail('DRAINING');
    b.fail('ENGINE_FULL');
    expect(await errorOf(voting)).toMatchObject({ kind: 'ROUTER_FULL', cause: { kind: 'ENGINE_FULL' } });
  });
});
