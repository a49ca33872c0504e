// Schedules with at least two good engines at any time, whatever another engine or the host name does. Every request
// with time for a second attempt must be answered.
import type { Random } from '../fuzz/random.ts';
import { type DnsAct, type EnginePlan, type Condition, type RequestPlan, type SchedulePlan, makePlan } from './plan.ts';

/**
 * A request with less time may fail with its first attempt. For a slow engine, the time of an attempt follows from its
 * earlier answers.
 */
const PATIENT_MS = { SLOW: 1_000, others: 400 };
const LENGTH_MS = 3_000;
const CALM_MS = 600;
const BAD_KINDS = ['HUNG', 'BLOCKED', 'SLOW', 'STALLED', 'DOWN', 'FAULTY', 'FULL'] as const;
const DNS_STEP_MS = 400;

export function makeGreyPlan(random: Random): SchedulePlan {
  const count = random.integer(3, 5);
  const dns = random.chance(0.35) ? makeDns(random, count) : [];
  const bad = dns.length > 0 ? -1 : random.integer(0, count - 1);
  const kind = random.pick(BAD_KINDS);
  return {
    ...makePlan(random),
    engines: Array.from({ length: count }, (_, n) => makeEngine(random, n, n === bad ? kind : undefined)),
    requests: makeRequests(random),
    acts: [],
    dns,
    patientMs: kind === 'SLOW' ? PATIENT_MS.SLOW : PATIENT_MS.others,
    refused: [],
    vote: {
      ...makePlan(random).vote,
      ...{ participants: 3, agreement: 'MAJORITY', mode: random.pick(['PARALLEL', 'STAGED']), compare: 'EXACT' },
      ...{ distinct_kinds: 1, on_dispute: 'FAIL', on_few: 'FAIL' },
    },
    // The default settings, so these are the limits of users.
    breaker: { failurePercent: 50, minRequests: 5, windowMs: 10_000, resetMs: random.pick([100, 500]) },
    panicPercent: 50,
    ...{ maxInFlight: 4_096, maxQueue: 1_024, maxWaitMs: 1_000 },
    ...{ maxAttempts: 3, attemptTimeoutMs: 10_000, budgetPercent: 20 },
    cache: undefined,
    lengthMs: LENGTH_MS,
  };
}

function makeEngine(random: Random, n: number, bad: Condition['kind'] | undefined): EnginePlan {
  return {
    id: `e${n}`,
    kind: 'sidecar',
    latencyMs: random.pick([1, 3, 10]),
    capacity: 1_000,
    conditions: [{ fromMs: 0, kind: 'WELL' }, ...(bad === undefined ? [] : badConditions(random, bad))],
    ...{ lie: undefined, liesFromMs: 0, liesUntilMs: Infinity, limit: undefined },
    process: `process ${n}`,
  };
}

/** Bad for ever, for a while, or repeatedly. */
function badConditions(random: Random, kind: Condition['kind']): Condition[] {
  const fromMs = random.between(CALM_MS, 2 * CALM_MS);
  if (random.chance(0.4)) return [{ fromMs, kind }];
  const stepMs = random.pick([40, 150, 700]);
  const steps = Math.floor((LENGTH_MS - fromMs) / stepMs);
  return Array.from({ length: steps }, (_, step) => ({
    fromMs: fromMs + step * stepMs,
    kind: step % 2 === 0 ? kind : 'WELL',
  }));
}

/** It begins with all engines. At least two good ones are always listed, or no working one at all. */
function makeDns(random: Random, count: number): DnsAct[] {
  const all = Array.from({ length: count }, (_, n) => n);
  const acts: DnsAct[] = [{ atMs: 0, answer: all, dead: 0 }];
  for (let atMs = CALM_MS; atMs < LENGTH_MS; atMs += random.between(DNS_STEP_MS / 4, 2 * DNS_STEP_MS)) {
    const listed = random.shuffled(all).slice(0, random.integer(2, count));
    acts.push(
      random.pick<DnsAct>([
        { atMs, answer: 'ERROR', dead: 0 },
        { atMs, answer: [], dead: 0 },
        { atMs, answer: [], dead: random.integer(1, 3) },
        { atMs, answer: listed, dead: random.integer(0, 2) },
        { atMs, answer: all, dead: 0 },
      ]),
    );
  }
  return acts;
}

function makeRequests(random: Random): RequestPlan[] {
  const voteShare = random.pick([0.05, 0.2, 0.5]);
  const burst = random.between(CALM_MS, LENGTH_MS);
  return random
    .list(random.integer(100, 250), (): RequestPlan => {
      const isVote = random.chance(voteShare);
      return {
        // Sometimes many votes come at once, more than the engines can accept.
        atMs: isVote && random.chance(0.3) ? burst : random.between(0, LENGTH_MS),
        input: random.integer(0, 11),
        strategy: isVote ? 'REDUNDANT' : random.pick(['ROUND_ROBIN', 'ROUND_ROBIN', 'FASTEST', 'HEDGED', 'AFFINITY']),
        cache: 'BYPASS',
        timeoutMs: random.pick([400, 1_000, 2_000]),
        leavesAfterMs: random.chance(0.05) ? random.between(0, 60) : undefined,
        vote: undefined,
      };
    })
    .sort((a, b) => a.atMs - b.atMs);
}
