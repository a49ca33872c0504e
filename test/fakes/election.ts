// A vote of four engines that a test controls.
import { afterEach, beforeEach, jest } from '@jest/globals';
import type { AttemptOptions } from '../../services/routing/attempt.ts';
import type { Dispute } from '../../services/routing/dispute.ts';
import type { Outcome } from '../../services/routing/executor.ts';
import { vote } from '../../services/routing/executors/vote.ts';
import type { VotePolicy } from '../../services/voting/policy.ts';
import { fakeExecution, silent } from './fake-parts.ts';
import { type HandDriven, fourEngines } from './hand-driven.ts';

export let a: HandDriven;
export let b: HandDriven;
export let c: HandDriven;
export let d: HandDriven;
export let caller: AbortController;
export let disputes: Dispute[];
/** For each vote that cannot decide which engine is wrong: the engines that contradict each other. */
export let contradicted: string[][];
export let seen: [verdict: string, dissenters: readonly string[]][];

/** For the top of a test file: new engines and empty records for each test. */
export function useElection(): void {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['performance'] });
    [a, b, c, d] = fourEngines();
    caller = new AbortController();
    disputes = [];
    contradicted = [];
    seen = [];
  });

  afterEach(() => {
    jest.useRealTimers();
  });
}

export const PLAIN: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'PARALLEL',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};

export function election(
  plan: HandDriven[],
  over: Partial<VotePolicy> = {},
  options: Partial<AttemptOptions> = {},
): Promise<Outcome<HandDriven>> {
  const settled: Partial<AttemptOptions> = {
    ...options,
    observer: { ...silent, voted: (verdict, dissenters) => seen.push([verdict, dissenters]) },
    onDispute: (dispute) => disputes.push(dispute),
  };
  const policy = { ...PLAIN, ...over };
  const execution = fakeExecution(plan, caller.signal, settled, {
    policy,
    contradicted: (claims) => contradicted.push(claims.map(({ engine }) => engine.id)),
  });
  return vote(execution);
}

export const flush = (): Promise<void> => jest.advanceTimersByTimeAsync(0);
export const outcomes = ({ ballots }: Outcome<HandDriven>): string[] =>
  ballots.map(({ engineId, outcome, why }) => [engineId, outcome, why].join(' ').trim());
