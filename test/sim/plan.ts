// The plan of one schedule: settings, engines with their conditions, and requests. All of it follows from the seed.
import { type VoteSettings, voteSchema } from '../../services/config/vote.ts';
import type { BreakerOptions } from '../../services/engines/breaker.ts';
import type { QuarantineOptions } from '../../services/engines/quarantine.ts';
import type { CacheModeName } from '../../services/routing/question.ts';
import { STRATEGIES, type StrategyName } from '../../services/strategies/registry.ts';
import type { VotePolicy } from '../../services/voting/policy.ts';
import type { Random } from '../fuzz/random.ts';

/**
 * DIGEST: a false state digest with the true answer. ANSWER: false spike counts with the true state digest. BOTH: both
 * false. INCONSISTENT: true digests if only they are requested, else false spike counts. REFUSE: it refuses every
 * input. ACCEPT: it answers inputs that must be refused. MALFORMED: no run can have its answers.
 */
export const LIES = ['DIGEST', 'ANSWER', 'BOTH', 'INCONSISTENT', 'REFUSE', 'ACCEPT', 'MALFORMED'] as const;
export type Lie = (typeof LIES)[number];

/**
 * The condition of an engine for a time. STALLED: it answers at the end of that time. HUNG: it never answers the inputs
 * of that time. BLOCKED: like HUNG, and it accepts only a few inputs.
 */
export interface Condition {
  readonly fromMs: number;
  readonly kind: 'WELL' | 'SLOW' | 'STALLED' | 'HUNG' | 'BLOCKED' | 'DOWN' | 'FULL' | 'FAULTY' | 'DRAINED';
}

export interface EnginePlan {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  readonly latencyMs: number;
  /** Maximum concurrent inputs; more get ENGINE_FULL. */
  readonly capacity: number;
  /** In order of time; the first from 0. */
  readonly conditions: readonly Condition[];
  readonly lie: Lie | undefined;
  /** The time in which it lies. */
  readonly liesFromMs: number;
  readonly liesUntilMs: number;
  /** Its initial concurrency limit; undefined: the product's. */
  readonly limit: number | undefined;
  /** Id of its process: two engines with one are the same process under two ids. */
  readonly process: string;
}

export interface RequestPlan {
  readonly atMs: number;
  readonly input: number;
  readonly strategy: StrategyName;
  readonly cache: CacheModeName;
  readonly timeoutMs: number;
  /** The caller cancels after this time. */
  readonly leavesAfterMs: number | undefined;
  readonly vote: Partial<VotePolicy> | undefined;
  /** Number of the session that it is a message of; undefined: none. */
  readonly session?: number | undefined;
  /** Its client sends the step of the session, if no other message is open. */
  readonly expects?: boolean;
  /** Its client keeps the state, and sends the last one if the session has ended. */
  readonly keeps?: boolean;
  readonly closes?: boolean;
}

interface OperatorAct {
  readonly atMs: number;
  readonly engine: number;
  readonly act: 'READMIT' | 'REPLACE';
}

/** The answer for the engines' host name from this time on. */
export interface DnsAct {
  readonly atMs: number;
  /** Numbers of engines. */
  readonly answer: readonly number[] | 'ERROR';
  /** Further addresses without an engine. */
  readonly dead: number;
}

export interface SchedulePlan {
  readonly engines: readonly EnginePlan[];
  readonly requests: readonly RequestPlan[];
  readonly acts: readonly OperatorAct[];
  /** Empty: the engines are known from the start. */
  readonly dns: readonly DnsAct[];
  /**
   * Requests with at least this time must be answered, since there are always two good engines. Infinity: no such
   * guarantee.
   */
  readonly patientMs: number;
  /** Inputs that every honest engine refuses. */
  readonly refused: readonly number[];
  /** All lying engines give the same lies. */
  readonly areAlike: boolean;
  readonly vote: VoteSettings;
  readonly breaker: BreakerOptions;
  readonly quarantine: QuarantineOptions;
  readonly panicPercent: number;
  readonly maxInFlight: number;
  readonly maxQueue: number;
  readonly maxWaitMs: number;
  readonly maxAttempts: number;
  readonly attemptTimeoutMs: number;
  readonly budgetPercent: number;
  readonly slowStartMs: number;
  readonly hedgePercentile: number;
  readonly cache: { readonly ttlMs: number; readonly staleMs: number; readonly maxEntries: number } | undefined;
  readonly sessions: { readonly idleMs: number; readonly max: number; readonly maxWaiting: number };
  readonly lengthMs: number;
}

const NAMES = Object.keys(STRATEGIES) as StrategyName[];
const CONDITIONS = ['SLOW', 'STALLED', 'HUNG', 'BLOCKED', 'DOWN', 'DOWN', 'FULL', 'FAULTY', 'DRAINED'] as const;

export function makePlan(random: Random): SchedulePlan {
  const participants = random.pick([3, 3, 3, 5, 5, 2, 4, 7]);
  const count = random.chance(0.6) ? participants : random.integer(Math.max(1, participants - 1), participants + 3);
  const most = Math.floor((participants - 1) / 2);
  const liars = random.chance(0.25) ? 0 : random.chance(0.85) ? random.integer(0, most) : random.integer(0, count);
  const lengthMs = random.pick([100, 400, 1_500]);
  const requests = random.integer(10, 60);
  const hasLimits = random.chance(0.35);
  const trouble = random.pick([0, 0.2, 0.5, 0.9]);
  const lying = new Set(random.shuffled(Array.from({ length: count }, (_, n) => n)).slice(0, liars));
  const inputs = random.integer(2, 12);
  const strategies = random.shuffled(NAMES).slice(0, random.integer(1, 3));
  const isSafe = random.chance(0.8);
  const isExact = random.chance(0.85);
  const acts = random.chance(0.3) ? makeActs(random, count, lengthMs) : [];
  const inSessions = random.pick([0, 0, 0.5, 1]);
  const clients = random.integer(1, 4);
  const processes = Array.from({ length: count }, (_, n) =>
    makeEngine(random, n, lying.has(n), trouble, hasLimits, lengthMs),
  );
  // A replaced engine is a new process; its twin stays the old one.
  const hasTwins = acts.length === 0 && random.chance(0.25);
  return {
    engines: hasTwins ? withTwins(random, processes) : processes,
    requests: makeRequests(random, requests, inputs, strategies, lengthMs).map((request) =>
      random.chance(inSessions) ? inSession(random, request, clients) : request,
    ),
    acts,
    dns: [],
    patientMs: Infinity,
    refused: random.chance(0.4) ? Array.from({ length: inputs }, (_, n) => n).filter(() => random.chance(0.3)) : [],
    areAlike: random.chance(0.6),
    vote: voteSchema.parse({
      participants,
      agreement: random.chance(0.85) ? 'MAJORITY' : 'UNANIMOUS',
      mode: random.pick(['PARALLEL', 'STAGED']),
      compare: isExact ? 'EXACT' : random.pick(['TOLERANCE', 'LABEL']),
      tolerance: 0.01,
      distinct_kinds: random.chance(0.9) ? 1 : 2,
      on_dispute: isSafe ? 'FAIL' : random.pick(['FAIL', 'ACCEPT_PLURALITY']),
      on_few: isSafe ? 'FAIL' : random.pick(['FAIL', 'ACCEPT_DEGRADED']),
      audit_rate: random.pick([0, 0, 0.1, 0.5, 1]),
    }),
    breaker: {
      failurePercent: random.pick([25, 50, 90]),
      minRequests: random.integer(1, 5),
      windowMs: random.pick([1_000, 10_000]),
      resetMs: random.pick([20, 60, 200]),
    },
    quarantine: {
      dissents: random.integer(1, 3),
      windowMs: random.pick([100, 10_000]),
      sitOutMs: random.pick([10, 30, 100]),
      sitOutMaxMs: random.pick([100, 300]),
    },
    panicPercent: random.pick([0, 50, 50, 100]),
    maxInFlight: random.pick([4, 12, 64]),
    maxQueue: random.pick([0, 1, 4, 32]),
    maxWaitMs: random.pick([5, 50, 300]),
    maxAttempts: random.integer(1, 4),
    attemptTimeoutMs: random.pick([10, 40, 150]),
    budgetPercent: random.pick([0, 10, 20, 100]),
    slowStartMs: random.pick([0, 100, 1_000]),
    hedgePercentile: random.pick([50, 95]),
    cache: random.chance(0.75)
      ? {
          ttlMs: random.pick([0, 20, 200, 5_000]),
          staleMs: random.pick([0, 100, 5_000]),
          maxEntries: random.pick([1, 4, 100]),
        }
      : undefined,
    sessions: {
      idleMs: random.pick([20, 100, 60_000]),
      max: random.pick([1, 3, 100]),
      maxWaiting: random.pick([0, 2, 100]),
    },
    lengthMs,
  };
}

function inSession(random: Random, request: RequestPlan, clients: number): RequestPlan {
  return {
    ...request,
    session: random.integer(0, clients - 1),
    expects: random.chance(0.5),
    keeps: random.chance(0.3),
    closes: random.chance(0.05),
  };
}

function makeActs(random: Random, engines: number, lengthMs: number): OperatorAct[] {
  return random.list(random.integer(1, 3), () => ({
    atMs: random.between(0, lengthMs),
    engine: random.integer(0, engines - 1),
    act: random.pick(['READMIT', 'REPLACE'] as const),
  }));
}

/** Some processes, most often lying ones, are registered two or three times. */
function withTwins(random: Random, processes: readonly EnginePlan[]): EnginePlan[] {
  const twins = random.list(random.integer(1, 2), () => {
    const liars = processes.filter(({ lie }) => lie !== undefined);
    return random.pick(liars.length > 0 && random.chance(0.7) ? liars : processes);
  });
  return [...processes, ...twins.map((twin, k) => ({ ...twin, id: `e${processes.length + k}` }))];
}

function makeEngine(
  random: Random,
  n: number,
  isLiar: boolean,
  trouble: number,
  hasLimits: boolean,
  lengthMs: number,
): EnginePlan {
  const conditions: Condition[] = [{ fromMs: 0, kind: random.chance(trouble * 0.1) ? 'DOWN' : 'WELL' }];
  let atMs = random.between(0, lengthMs);
  while (random.chance(trouble) && atMs < lengthMs) {
    const kind = random.pick(CONDITIONS);
    conditions.push({ fromMs: atMs, kind });
    atMs += random.between(1, lengthMs / 3);
    conditions.push({ fromMs: atMs, kind: 'WELL' });
    atMs += random.between(1, lengthMs / 3);
  }
  const isPermanent = random.chance(0.6);
  const liesFromMs = isPermanent ? 0 : random.between(0, lengthMs);
  return {
    id: `e${n}`,
    kind: random.pick(['local', 'sidecar', 'sidecar']),
    latencyMs: random.pick([0.2, 1, 3, 10, 30]),
    capacity: random.chance(0.25) ? random.integer(1, 5) : 1_000,
    conditions,
    lie: isLiar ? random.pick(LIES) : undefined,
    liesFromMs,
    liesUntilMs: isPermanent ? Infinity : liesFromMs + random.between(1, lengthMs),
    limit: hasLimits ? random.integer(1, 4) : undefined,
    process: `process ${n}`,
  };
}

function makeRequests(
  random: Random,
  count: number,
  inputs: number,
  strategies: readonly StrategyName[],
  lengthMs: number,
): RequestPlan[] {
  const bursts = random.chance(0.4) ? random.list(3, () => random.between(0, lengthMs)) : [];
  return random
    .list(count, (): RequestPlan => {
      const strategy = random.chance(0.5) ? 'REDUNDANT' : random.pick(strategies);
      return {
        atMs: bursts.length > 0 && random.chance(0.7) ? random.pick(bursts) : random.between(0, lengthMs),
        input: random.integer(0, inputs - 1),
        strategy,
        cache: random.pick(['USE', 'USE', 'USE', 'BYPASS', 'REFRESH']),
        timeoutMs: random.pick([5, 30, 100, 400, 1_000]),
        leavesAfterMs: random.chance(0.1) ? random.between(0, 60) : undefined,
        vote:
          strategy === 'REDUNDANT' && random.chance(0.2) ? { mode: random.pick(['PARALLEL', 'STAGED']) } : undefined,
      };
    })
    .sort((a, b) => a.atMs - b.atMs);
}
