import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  PLAIN,
  a,
  b,
  c,
  caller,
  contradicted,
  d,
  disputes,
  election,
  flush,
  outcomes,
  seen,
  useElection,
} from '../../../test/fakes/election.ts';
import { fakeExecution } from '../../../test/fakes/fake-parts.ts';
import { fakeInference } from '../../../test/fakes/fake-engine.ts';
import { kindOf } from '../../../test/fakes/router-parts.ts';
import type { HandDriven } from '../../../test/fakes/hand-driven.ts';
import { RETRY_AFTER_MS, RouterError } from '../../core/errors.ts';
import { readoutDigest } from '../../engines/readout-digest.ts';
import type { VotePolicy } from '../../voting/policy.ts';
import { Admission } from '../admission.ts';
import { RetryBudget } from '../retry-budget.ts';
import { vote } from './vote.ts';

useElection();

describe('vote, if an engine has no free slot,', () => {
  beforeEach(() => {
    c.availableSlots = 0;
  });

  it('is decided by the others if they agree', async () => {
    const voting = election([c, a, b]);
    expect([a, b, c].map(({ wasAsked }) => wasAsked)).toEqual([true, true, false]);
    for (const voter of [a, b]) voter.answer(7n);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('asks that engine as soon as it has a slot, if its ballot is needed', async () => {
    const admission = new Admission({ maxQueue: 100, maxWaitMs: 1_000 });
    const voting = election([a, b, c], {}, { admission });
    a.answer(7n);
    b.answer(8n);
    await flush();
    expect(c.wasAsked).toBe(false);
    c.availableSlots = 1;
    admission.serve();
    expect(c.wasAsked).toBe(true);
    c.answer(7n);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b DISSENTED', 'c AGREED']);
  });

  it('counts that engine as absent after the longest wait', async () => {
    const voting = election([a, b, c], { agreement: { kind: 'UNANIMOUS' }, onFew: 'ACCEPT_DEGRADED' });
    for (const voter of [a, b]) voter.answer(7n);
    await jest.advanceTimersByTimeAsync(999);
    expect(seen).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c ABSENT ENGINE_FULL']);
    expect(seen).toEqual([['DEGRADED', []]]);
  });

  it('fails and names that engine if the policy needs it', async () => {
    const voting = election([a, b, c], { agreement: { kind: 'UNANIMOUS' } });
    for (const voter of [a, b]) voter.answer(7n);
    const error = voting.catch((thrown: unknown) => thrown);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await error).toMatchObject({ kind: 'VOTE_TOO_FEW', message: expect.stringContaining('c: ENGINE_FULL') });
  });

  it('asks another engine in its place at once', () => {
    void election([a, c, b, d]).catch(() => undefined);
    expect([a, b, c, d].map(({ wasAsked }) => wasAsked)).toEqual([true, true, false, true]);
  });

  it('ends if the caller leaves, and clears its timers', async () => {
    for (const voter of [a, b]) voter.availableSlots = 0;
    const voting = kindOf(election([a, b, c]));
    caller.abort(new RouterError('CANCELLED', 'left'));
    expect(await voting).toBe('CANCELLED');
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('vote', () => {
  it('asks exactly as many engines as participate, at once', async () => {
    const voting = election([a, b, c, d]);
    expect([a, b, c, d].map(({ wasAsked }) => wasAsked)).toEqual([true, true, true, false]);
    for (const voter of [a, b, c]) voter.answer(7n);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c AGREED']);
    expect(seen).toEqual([['UNANIMOUS', []]]);
  });

  it('returns the majority’s answer and names the dissenter', async () => {
    const voting = election([a, b, c]);
    a.answer(6n);
    b.answer(7n);
    c.answer(7n);
    const voted = await voting;
    expect([voted.grade, voted.engine.id, voted.inference.stateDigest]).toEqual(['MAJORITY', 'b', 7n]);
    expect(outcomes(voted)).toEqual(['a DISSENTED', 'b AGREED', 'c AGREED']);
    expect(seen).toEqual([['MAJORITY', ['a']]]);
  });

  it('cancels an engine that cannot change the verdict', async () => {
    const voting = election([a, b, c]);
    a.answer(7n);
    b.answer(7n);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c ABSENT CANCELLED']);
    expect(c.signal?.aborted).toBe(true);
  });

  it('waits for the third engine if two contradict each other', async () => {
    const voting = election([a, b, c]);
    a.answer(6n);
    b.answer(7n);
    await jest.advanceTimersByTimeAsync(1_000);
    c.answer(7n);
    expect(outcomes(await voting)).toEqual(['a DISSENTED', 'b AGREED', 'c AGREED']);
  });

  it('asks another engine if one fails', async () => {
    const voting = election([a, b, c, d]);
    a.fail('ENGINE_LOST');
    await flush();
    expect(d.wasAsked).toBe(true);
    for (const voter of [b, c, d]) voter.answer(7n);
    expect(outcomes(await voting)).toEqual(['a ABSENT ENGINE_LOST', 'b AGREED', 'c AGREED', 'd AGREED']);
  });

  it('asks no other engine if the retry budget is spent', async () => {
    const voting = election([a, b, c, d], {}, { budget: new RetryBudget(0, 0) });
    a.fail('ENGINE_LOST');
    await flush();
    expect(d.wasAsked).toBe(false);
    b.answer(7n);
    c.answer(7n);
    expect((await voting).grade).toBe('UNANIMOUS');
  });

  it('fails with every ballot if no answer has a majority', async () => {
    const voting = election([a, b, c]);
    a.answer(5n);
    b.answer(6n);
    c.answer(7n);
    await expect(voting).rejects.toMatchObject({
      kind: 'VOTE_DISPUTED',
      metadata: { ballots: 'a: 0000000000000005, b: 0000000000000006, c: 0000000000000007' },
    });
    expect(seen).toEqual([['DISPUTED', ['a', 'b', 'c']]]);
  });

  it('fails with VOTE_TOO_FEW if only one engine participates', async () => {
    const voting = election([a]);
    a.answer(7n);
    await expect(voting).rejects.toMatchObject({ kind: 'VOTE_TOO_FEW', retryAfterMs: RETRY_AFTER_MS.NO_ENGINE });
    expect(seen).toEqual([['TOO_FEW', []]]);
  });

  it('cancels all engines if the caller leaves', async () => {
    const voting = election([a, b, c]);
    caller.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(voting).rejects.toMatchObject({ kind: 'CANCELLED', message: 'the caller left' });
    expect([a, b, c].every(({ signal }) => signal?.aborted)).toBe(true);
  });
});

describe('the wrong engine of a vote', () => {
  it('is named if more than half of all available engines contradict it', async () => {
    const voting = election([a, b, c]);
    a.answer(6n);
    b.answer(7n);
    c.answer(7n);
    await voting;
    expect([disputes, contradicted]).toMatchObject([[{ wrong: ['a'], right: { stateDigest: 7n } }], []]);
  });

  it('is left to an audit if the majority is not more than half of all', async () => {
    const voting = election([a, b, c, d]);
    a.answer(6n);
    b.answer(7n);
    c.answer(7n);
    expect((await voting).inference.stateDigest).toBe(7n);
    expect(disputes).toMatchObject([{ verdict: 'MAJORITY', wrong: [], right: undefined }]);
    expect(contradicted).toEqual([['b', 'a', 'c']]);
  });

  it('is left to an audit if no answer won and others are available', async () => {
    const voting = election([a, b, d], { participants: 2 });
    a.answer(6n);
    b.answer(7n);
    await expect(voting).rejects.toMatchObject({ kind: 'VOTE_DISPUTED' });
    expect(contradicted).toEqual([['a', 'b']]);
  });

  it('does not exist if all voters agree, even if they are only half of all engines', async () => {
    const voting = election([a, b, c, d], { participants: 2 });
    a.answer(7n);
    b.answer(7n);
    await voting;
    expect([disputes, contradicted]).toEqual([[], []]);
  });

  it('is unknown if no answer won and every engine has voted', async () => {
    const voting = election([a, b], { participants: 2 });
    a.answer(6n);
    b.answer(7n);
    await expect(voting).rejects.toMatchObject({ kind: 'VOTE_DISPUTED' });
    expect([disputes, contradicted]).toMatchObject([[{ wrong: [], right: undefined }], []]);
  });

  it('is reported without a right answer if the winners are too few', async () => {
    const digests = { spikeCounts: [], potentials: Buffer.alloc(0), readoutDigest: readoutDigest(fakeInference()) };
    const voting = election([a, b, c, d], { participants: 3 });
    a.answer(6n);
    for (const voter of [b, c]) voter.answer(7n, digests);
    await flush();
    b.answer(8n);
    await flush();
    c.answer(7n);
    await voting;
    expect(disputes[1]).toMatchObject({ verdict: 'CONTRADICTED_ITSELF', wrong: ['b'], right: undefined });
  });
});

describe('a refusal in a vote', () => {
  const there = { step: '3', node: 'lif1' };
  const LABEL = { compare: { kind: 'LABEL' } } as const;
  const NEAR = { compare: { kind: 'TOLERANCE', tolerance: 0.1 } } as const;

  it('loses against two answers, and no other engine is asked', async () => {
    const voting = election([a, b, c, d]);
    a.fail('NON_FINITE', there);
    b.answer(7n);
    c.answer(7n);
    const voted = await voting.catch((error: unknown) => error as never);
    expect([voted.grade, voted.engine.id]).toEqual(['MAJORITY', 'b']);
    expect(outcomes(voted)).toEqual(['a DISSENTED NON_FINITE, step 3, node lif1', 'b AGREED', 'c AGREED']);
    expect(d.wasAsked).toBe(false);
  });

  it('wins with a majority, and the answering engine dissents', async () => {
    const voting = election([a, b, c]);
    a.fail('NON_FINITE', there);
    b.fail('NON_FINITE', there);
    c.answer(7n);
    await expect(voting).rejects.toMatchObject({
      kind: 'NON_FINITE',
      metadata: { ...there, confirmed_by: 'a, b' },
    });
    expect(seen).toEqual([['MAJORITY', ['c']]]);
    expect(disputes).toMatchObject([{ wrong: ['c'], right: undefined }]);
  });

  it.each([
    ['another reason', 'INPUT_LENGTH' as const, there],
    ['another step', 'NON_FINITE' as const, { ...there, step: '4' }],
    ['another node', 'NON_FINITE' as const, { ...there, node: 'lif2' }],
  ])('does not agree with a refusal for %s', async (_name, kind, where) => {
    const voting = election([a, b, c]);
    a.fail('NON_FINITE', there);
    b.fail(kind, where);
    c.answer(7n);
    await expect(voting).rejects.toMatchObject({ kind: 'VOTE_DISPUTED' });
    expect(disputes).toMatchObject([{ verdict: 'DISPUTED', wrong: [] }]);
  });

  it('is decided by another engine if the others are absent', async () => {
    const voting = election([a, b, c, d]);
    a.fail('NON_FINITE', there);
    b.fail('ENGINE_LOST');
    await flush();
    expect(d.wasAsked).toBe(true);
    c.answer(7n);
    d.answer(7n);
    expect(outcomes(await voting)).toEqual([
      'a DISSENTED NON_FINITE, step 3, node lif1',
      'b ABSENT ENGINE_LOST',
      'c AGREED',
      'd AGREED',
    ]);
  });

  it.each([LABEL, NEAR])('contradicts every answer when compared by $compare.kind', async (by) => {
    const voting = election([a, b, c], by);
    a.fail('NON_FINITE', there);
    b.answer(6n);
    c.answer(7n);
    expect((await voting).grade).toBe('MAJORITY');
    expect(disputes).toMatchObject([{ wrong: ['a'], right: undefined }]);
  });

  it.each([LABEL, NEAR])('names the answering engine as wrong if it wins by $compare.kind', async (by) => {
    const voting = election([a, b, c], by);
    a.fail('NON_FINITE', there);
    b.answer(6n);
    c.fail('NON_FINITE', there);
    await expect(voting).rejects.toMatchObject({ kind: 'NON_FINITE' });
    expect(disputes).toMatchObject([{ wrong: ['b'], right: undefined }]);
  });

  it('is unconfirmed if it is the only ballot of a degraded vote', async () => {
    const voting = election([a], { onFew: 'ACCEPT_DEGRADED' });
    a.fail('NON_FINITE', there);
    await expect(voting).rejects.toMatchObject({ kind: 'NON_FINITE', metadata: { unconfirmed: 'true' } });
  });
});

describe('a malformed answer in a vote', () => {
  it('counts as absent, is reported, and another engine is asked', async () => {
    const voting = election([a, b, c, d]);
    a.fail('ENGINE_FAULT', { malformed: 'too short' });
    await flush();
    for (const voter of [b, c, d]) voter.answer(7n);
    const why = 'ENGINE_FAULT: malformed: too short';
    expect(outcomes(await voting)).toEqual([`a ABSENT ${why}`, 'b AGREED', 'c AGREED', 'd AGREED']);
    expect(disputes).toMatchObject([
      { verdict: 'MALFORMED', wrong: ['a'], right: undefined, ballots: [{ engineId: 'a', outcome: 'ABSENT', why }] },
    ]);
  });
});

describe('vote, if engines answer that they are full,', () => {
  it('asks another engine with free slots without a retry', async () => {
    const voting = election([a, b, c, d], {}, { budget: new RetryBudget(0, 0) });
    a.fail('ENGINE_FULL');
    await flush();
    expect(d.wasAsked).toBe(true);
    for (const voter of [b, c, d]) voter.answer(7n);
    expect((await voting).grade).toBe('UNANIMOUS');
  });

  it('fails with ROUTER_FULL if all are full', async () => {
    const voting = election([a, b, c]);
    for (const voter of [a, b, c]) voter.fail('ENGINE_FULL');
    await expect(voting).rejects.toMatchObject({ kind: 'ROUTER_FULL' });
  });
});

describe('the timeout of a ballot', () => {
  /** Returns each timeout as a part of the caller’s time left. */
  async function partsOf(plan: HandDriven[], over: Partial<VotePolicy> = {}): Promise<number[]> {
    const context = { deadlineMs: performance.now() + 900, signal: caller.signal };
    const voting = vote(fakeExecution(plan, caller.signal, {}, { context, policy: { ...PLAIN, ...over } }));
    const askedIds = plan.filter(({ wasAsked }) => wasAsked);
    const parts = askedIds.map(({ timeoutMs }) => Math.round((10 * timeoutMs!) / 900) / 10);
    for (const engine of askedIds) engine.answer(7n);
    await voting;
    return parts;
  }

  it('is half of the time left if another engine could replace it', async () => {
    expect(await partsOf([a, b, c, d])).toEqual([0.5, 0.5, 0.5]);
  });

  it('is half of the time left if not all participants were asked', async () => {
    expect(await partsOf([a, b, c], { mode: 'STAGED' })).toEqual([0.5, 0.5]);
  });

  it('is 0.8 of the time left if every engine already votes', async () => {
    expect(await partsOf([a, b, c])).toEqual([0.8, 0.8, 0.8]);
  });
});
