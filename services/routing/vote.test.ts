import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeAsking, silent } from '../../test/fakes/fake-parts.ts';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { HandDriven } from '../../test/fakes/hand-driven.ts';
import { RouterError } from '../core/errors.ts';
import { readoutDigest } from '../engines/readout-digest.ts';
import type { VotePolicy } from '../voting/policy.ts';
import type { Dispute } from './dispute.ts';
import { RetryBudget } from './retry-budget.ts';
import { type Voted, vote } from './vote.ts';

let a: HandDriven;
let b: HandDriven;
let c: HandDriven;
let d: HandDriven;
let caller: AbortController;
let disputes: Dispute[];
let seen: [verdict: string, dissenters: readonly string[]][];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => new HandDriven(id)) as [
    HandDriven,
    HandDriven,
    HandDriven,
    HandDriven,
  ];
  caller = new AbortController();
  disputes = [];
  seen = [];
});

afterEach(() => {
  jest.useRealTimers();
});

const PLAIN: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'PARALLEL',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};

function election(
  plan: HandDriven[],
  over: Partial<VotePolicy> = {},
  budget = new RetryBudget(100, 20),
): Promise<Voted<HandDriven>> {
  const asking = fakeAsking(plan, caller.signal, {
    budget,
    observer: { ...silent, voted: (verdict, dissenters) => seen.push([verdict, dissenters]) },
    onDispute: (dispute) => disputes.push(dispute),
  });
  return vote(plan, { ...PLAIN, ...over }, { from: 'spike_count', labels: [], temperature: 1 }, asking);
}

const heard = (): Promise<void> => jest.advanceTimersByTimeAsync(0);
const outcomes = ({ ballots }: Voted<HandDriven>): string[] =>
  ballots.map(({ engineId, outcome, why }) => [engineId, outcome, why].join(' ').trim());

describe('a vote', () => {
  it('asks as many as take part, at once, and nobody else', async () => {
    const voting = election([a, b, c, d]);
    expect([a, b, c, d].map(({ wasAsked }) => wasAsked)).toEqual([true, true, true, false]);
    for (const voter of [a, b, c]) voter.answer(7n);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c AGREED']);
    expect(seen).toEqual([['UNANIMOUS', []]]);
  });

  it('gives the majority’s answer and names the dissenter', async () => {
    const voting = election([a, b, c]);
    a.answer(6n);
    b.answer(7n);
    c.answer(7n);
    const voted = await voting;
    expect([voted.grade, voted.engine.id, voted.inference.stateDigest]).toEqual(['MAJORITY', 'b', 7n]);
    expect(outcomes(voted)).toEqual(['a DISSENTED', 'b AGREED', 'c AGREED']);
    expect(seen).toEqual([['MAJORITY', ['a']]]);
  });

  it('does not wait for long for one that cannot change the verdict, and stops it', async () => {
    const voting = election([a, b, c]);
    a.answer(7n);
    b.answer(7n);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(outcomes(await voting)).toEqual(['a AGREED', 'b AGREED', 'c ABSENT CANCELLED']);
    expect(c.signal?.aborted).toBe(true);
  });

  it('waits for the third where two contradict each other', async () => {
    const voting = election([a, b, c]);
    a.answer(6n);
    b.answer(7n);
    await jest.advanceTimersByTimeAsync(1_000);
    c.answer(7n);
    expect(outcomes(await voting)).toEqual(['a DISSENTED', 'b AGREED', 'c AGREED']);
  });

  it('asks another engine instead of one that fails', async () => {
    const voting = election([a, b, c, d]);
    a.fail('ENGINE_LOST');
    await heard();
    expect(d.wasAsked).toBe(true);
    for (const voter of [b, c, d]) voter.answer(7n);
    expect(outcomes(await voting)).toEqual(['a ABSENT ENGINE_LOST', 'b AGREED', 'c AGREED', 'd AGREED']);
  });

  it('asks no other engine when the retry budget is spent', async () => {
    const voting = election([a, b, c, d], {}, new RetryBudget(0, 0));
    a.fail('ENGINE_LOST');
    await heard();
    expect(d.wasAsked).toBe(false);
    b.answer(7n);
    c.answer(7n);
    expect((await voting).grade).toBe('UNANIMOUS');
  });

  it('is disputed where no answer has a majority, and shows who said what', async () => {
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

  it('is no vote where only one engine could take part', async () => {
    const voting = election([a]);
    a.answer(7n);
    await expect(voting).rejects.toMatchObject({ kind: 'VOTE_TOO_FEW' });
    expect(seen).toEqual([['TOO_FEW', []]]);
  });

  it('refuses an input that most engines refuse', async () => {
    const voting = election([a, b, c]);
    a.fail('NON_FINITE');
    b.fail('NON_FINITE');
    c.answer(7n);
    await expect(voting).rejects.toMatchObject({ kind: 'NON_FINITE' });
  });

  it('stops everybody when its caller leaves', async () => {
    const voting = election([a, b, c]);
    caller.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(voting).rejects.toMatchObject({ kind: 'CANCELLED', message: 'the caller left' });
    expect([a, b, c].every(({ signal }) => signal?.aborted)).toBe(true);
  });
});

describe('a vote that only digests won', () => {
  /** Of what every fake engine answers in full. */
  const readout = readoutDigest(fakeInference());
  const digests = { spikeCounts: [], potentials: Buffer.alloc(0), readoutDigest: readout };

  /** The one asked for a whole answer, a, gives none, and the others vote for 7. */
  async function wonByDigests(budget?: RetryBudget): Promise<Promise<Voted<HandDriven>>[]> {
    const voting = election([a, b, c], {}, budget);
    a.fail('ENGINE_LOST');
    b.answer(7n, digests);
    c.answer(7n, digests);
    voting.catch(() => undefined);
    await heard();
    return [voting]; // in an array, for a promise of a promise is one promise
  }

  it('asks one that won for its whole answer', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n);
    expect(await voting).toMatchObject({ engine: { id: 'b' }, grade: 'UNANIMOUS', inference: { spikeCounts: [3, 1] } });
  });

  it('asks the next one, and tells of the first, if that gives another answer than it voted for', async () => {
    const [voting] = await wonByDigests();
    b.answer(7n, { spikeCounts: [3, 2], readoutDigest: readout });
    await heard();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toMatchObject([{ wrong: ['b'], right: { stateDigest: 7n, readoutDigest: readout } }]);
  });

  it('asks the next one if the first is lost, or now refuses what it had answered', async () => {
    const [voting] = await wonByDigests();
    b.fail('INPUT_LENGTH');
    await heard();
    c.answer(7n);
    expect((await voting)?.engine.id).toBe('c');
    expect(disputes).toEqual([]);
  });

  it('fails in words of its own where none gives it', async () => {
    const [voting] = await wonByDigests();
    b.fail('INPUT_LENGTH');
    await heard();
    c.fail('ENGINE_LOST');
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });

  it('asks nobody again when the retry budget is spent', async () => {
    const [voting] = await wonByDigests(new RetryBudget(0, 0));
    await expect(voting).rejects.toMatchObject({ kind: 'NO_ENGINE' });
  });

  it('but does where the whole answer there was has lost: a liar is not load', async () => {
    const voting = election([a, b, c], {}, new RetryBudget(0, 0));
    a.answer(6n);
    b.answer(7n, digests);
    c.answer(7n, digests);
    await heard();
    b.answer(7n);
    expect((await voting).engine.id).toBe('b');
  });
});
