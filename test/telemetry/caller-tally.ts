// Counts of the callers, from their answers. Every view of the router must agree with them.
import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { Grade, cacheStatusToJSON, gradeToJSON, strategyToJSON } from '../../services/generated/tandem/v1/types.ts';

/** Counts by name. */
export type Counts = Record<string, number>;

interface TypeTally {
  answered: number;
  /** By "CODE/REASON". */
  readonly errors: Counts;
  /** Durations of answered requests, reported by the router; empty if it does not report them. */
  readonly durationsMs: number[];
}

export class CallerTally {
  readonly types: Record<string, TypeTally> = {};
  /** HIT, MISS, … of all answers. */
  readonly cache: Counts = {};
  /** Of computed answers. */
  readonly strategies: Counts = {};
  /** Votes by verdict. */
  readonly votes: Counts = {};
  /** Answers by engine, including ballots. */
  readonly engines: Counts = {};
  /** Of all answers. */
  readonly work = { requests: 0, inferences: 0, synapticOperations: 0, energyJ: 0 };

  get requests(): number {
    return Object.values(this.types).reduce((sum, { answered, errors }) => sum + answered + total(errors), 0);
  }

  /** Without `durationMs`: not reported. */
  ended(type: string, durationMs?: number): void {
    const tally = this.#type(type);
    tally.answered += 1;
    if (durationMs !== undefined) tally.durationsMs.push(durationMs);
  }

  failed(type: string, reason: string): void {
    add(this.#type(type).errors, reason);
  }

  /** One input of that type was answered. */
  answered(type: string, response: ReasonResponse): void {
    this.ended(type, response.processingTimeMs);
    const status = cacheStatusToJSON(response.cache).replace('CACHE_STATUS_', '');
    add(this.cache, status);
    const cost = response.cost!;
    this.work.requests += 1;
    this.work.inferences += cost.inferences;
    this.work.synapticOperations += Number(cost.synapticOperations);
    this.work.energyJ += cost.energyJ;
    if (status !== 'MISS' && status !== 'BYPASSED') return;
    this.planned(strategyToJSON(response.strategy).replace('STRATEGY_', ''));
    if (response.grade !== Grade.GRADE_SINGLE) add(this.votes, gradeToJSON(response.grade).replace('GRADE_', ''));
    for (const { engineId, outcome } of response.attempts) if (outcome === 'OK') add(this.engines, engineId);
  }

  /** Engines were chosen for an input, with any outcome. */
  planned(strategy: string): void {
    add(this.strategies, strategy);
  }

  #type(type: string): TypeTally {
    return (this.types[type] ??= { answered: 0, errors: {}, durationsMs: [] });
  }
}

export function total(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function add(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
