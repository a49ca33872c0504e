// Checks how often each engine was asked: ballots, retries, half-open breakers, and trials of engines in quarantine.
import type { PooledEngine } from '../../services/engines/pooled-engine.ts';
import type { VotePolicy } from '../../services/voting/policy.ts';
import { Broken } from './invariants.ts';
import type { Journal } from './journal.ts';
import type { RequestPlan, SchedulePlan } from './plan.ts';
import type { SimEngine } from './sim-engine.ts';

export const MAX_CONFIRMATIONS = 2;

export interface SentRequest {
  readonly plan: RequestPlan;
  readonly policy: VotePolicy | undefined;
  readonly number: number;
  readonly startMs: number;
  readonly endByMs: number;
  readonly controller: AbortController;
  attempts: number;
  /** Requests that should confirm a refusal, and those of them that full engines refused. */
  confirmations: number;
  unconfirming: number;
  /** Without a vote: engines that were asked. */
  readonly tried: Set<string>;
  /** Engines that were available at every attempt. */
  readonly able: Set<string>;
  /** An engine has refused it. */
  isRefused: boolean;
  /** Engines gave different answers, and this attempt finds out which one is wrong. */
  isDisputed: boolean;
  /** Ballots that full engines did not give. */
  full: number;
  readonly whole: Set<string>;
  readonly voters: Set<string>;
  /** The engine id of each process that has voted. */
  readonly cast: Map<string, string>;
  isOver: boolean;
  /** For a message of a session: the client's data, and the initial state for the engines. */
  sentState?: Uint8Array;
  expectedStep?: number | undefined;
  before?: Uint8Array;
}

export function newAsked(
  request: Pick<SentRequest, 'plan' | 'policy' | 'number' | 'startMs' | 'endByMs' | 'controller'>,
): SentRequest {
  const none = {
    attempts: 0,
    confirmations: 0,
    unconfirming: 0,
    full: 0,
    isRefused: false,
    isDisputed: false,
    isOver: false,
  };
  const sets = {
    tried: new Set<string>(),
    able: new Set<string>(),
    whole: new Set<string>(),
    voters: new Set<string>(),
  };
  return { ...request, ...none, ...sets, cast: new Map<string, string>() };
}

interface Call {
  readonly digestOnly: boolean | undefined;
  readonly isAudit: boolean;
}

export class Attempts {
  /** Requests that were planned. */
  planned = 0;
  readonly #plan: SchedulePlan;
  readonly #journal: Journal;
  readonly #probing = new Map<string, number>();
  /** Requests sent through a half-open breaker and not answered, of each engine. */
  readonly #halfOpen = new Map<string, number>();
  #retries = 0;

  constructor(plan: SchedulePlan, journal: Journal) {
    this.#plan = plan;
    this.#journal = journal;
  }

  /** Call this when its breaker is no longer half-open. */
  settled(id: string): void {
    this.#halfOpen.delete(id);
  }

  /** Returns a function that takes the outcome: a full engine may be passed over, and then it costs nothing. */
  count({ id, process }: SimEngine, sent: SentRequest, { digestOnly, isAudit }: Call): (outcome: string) => void {
    const { policy, number } = sent;
    if (isAudit) return () => undefined;
    let isRetry = false;
    if (policy === undefined) {
      sent.tried.add(id);
      if (sent.isRefused) return this.#confirmation(sent);
      sent.attempts += 1;
      isRetry = sent.attempts > 1;
      const { maxAttempts } = this.#plan;
      if (sent.attempts > maxAttempts) throw new Broken('budget', `request ${number}: more than ${maxAttempts} tries`);
    } else if (digestOnly === undefined) {
      // The winning engines are asked for the full answer, one after the other, each once. That is never a ballot.
      this.#journal.count('whole');
      if (sent.whole.has(id))
        throw new Broken('ballots', `request ${number}: ${id} was asked for the full answer twice`);
      sent.whole.add(id);
    } else {
      if (sent.voters.has(id)) throw new Broken('ballots', `request ${number}: "${id}" was asked to vote twice`);
      sent.voters.add(id);
      isRetry = sent.voters.size - sent.full > policy.participants;
    }
    if (isRetry) this.#retries += 1;
    const { maxInFlight, budgetPercent } = this.#plan;
    const budget = (budgetPercent === 0 ? 0 : maxInFlight) + (budgetPercent / 100) * this.planned;
    if (this.#retries > budget + 1e-6) throw new Broken('budget', `${this.#retries} retries, ${budget} are allowed`);
    const isBallot = policy !== undefined && digestOnly !== undefined;
    return (outcome) => {
      if (isBallot && (outcome === 'OK' || outcome === 'NON_FINITE')) this.#cast(process, id, sent);
      if (outcome === 'NON_FINITE') sent.isRefused = true;
      if (outcome !== 'ENGINE_FULL') return;
      if (policy === undefined) sent.attempts -= 1;
      else sent.full += 1;
      if (isRetry) this.#retries -= 1;
    };
  }

  /** A confirmation of a refusal is neither an attempt nor a retry. */
  #confirmation(sent: SentRequest): (outcome: string) => void {
    sent.confirmations += 1;
    if (sent.confirmations - sent.unconfirming > MAX_CONFIRMATIONS) {
      throw new Broken('budget', `request ${sent.number}: more than ${MAX_CONFIRMATIONS} confirmations of a refusal`);
    }
    return (outcome) => {
      if (outcome === 'ENGINE_FULL') sent.unconfirming += 1;
    };
  }

  #cast(process: string, id: string, { cast, number }: SentRequest): void {
    const other = cast.get(process);
    cast.set(process, id);
    this.#journal.guard(() => {
      if (other !== undefined)
        throw new Broken('identity', `request ${number}: "${other}" and "${id}" are one process`);
    });
  }

  /** Returns a function to call when it has answered. */
  checkBreaker(id: string, pooled: PooledEngine | undefined): () => void {
    if (pooled === undefined || pooled.isPanicking) return () => undefined;
    const { state } = pooled.breaker;
    if (state === 'OPEN') throw new Broken('breaker', `"${id}" got a request while its breaker was open`);
    if (state === 'CLOSED') return () => undefined;
    const probes = (this.#halfOpen.get(id) ?? 0) + 1;
    this.#halfOpen.set(id, probes);
    if (probes > 1) throw new Broken('breaker', `"${id}" got ${probes} requests at once while half-open`);
    return () => {
      const left = this.#halfOpen.get(id);
      if (left !== undefined) this.#halfOpen.set(id, Math.max(0, left - 1));
    };
  }

  /** For an engine in quarantine. Returns a function for the outcome. */
  probe(id: string): (outcome: string) => void {
    const probes = (this.#probing.get(id) ?? 0) + 1;
    this.#probing.set(id, probes);
    this.#journal.count('probes');
    this.#journal.guard(() => {
      if (probes > 1) throw new Broken('back', `"${id}" is tried ${probes} times at once`);
    });
    return (outcome) => {
      this.#probing.set(id, this.#probing.get(id)! - 1);
      this.#journal.note('probed', id, outcome);
    };
  }
}
