// Types of `Metrics`: its counts at one moment, and the form for the file.
import type { Lack } from '../core/errors.ts';
import type { CacheStatusName, VerdictName } from '../core/observer.ts';
import type { AgentSnapshot } from './agent-counts.ts';
import type { TopicGroup } from './event-topics.ts';
import {
  type LatencyHistogram,
  type LatencySummary,
  NO_HISTOGRAM,
  NO_LATENCY,
  type SavedLatencies,
} from './latency.ts';

export interface MetricsSnapshot {
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly requests: number;
  readonly errors: number;
  /** By name. */
  readonly requestTypes: readonly RequestTypeCounts[];
  /** Only strategies that were used. */
  readonly strategies: ReadonlyMap<string, number>;
  /** By id; only those that were asked. */
  readonly engines: ReadonlyMap<string, EngineCounts>;
  /** By name and version; only those that were asked. */
  readonly models: readonly ModelCounts[];
  readonly cache: Readonly<Record<CacheStatusName, number>>;
  readonly votes: Readonly<Record<VerdictName, number>>;
  /** Refused requests, by missing resource. */
  readonly shed: Readonly<Record<Lack, number>>;
  readonly events: EventCounts;
  readonly agents: AgentSnapshot;
}

interface EventCounts {
  /** All groups of topics. */
  readonly published: Readonly<Record<TopicGroup, number>>;
  /** Events missed by slow subscribers, once for each of them. */
  readonly missed: number;
}

export interface RequestTypeCounts {
  readonly type: string;
  readonly count: number;
  readonly errors: number;
  /** By "CODE/REASON". */
  readonly errorsByReason: Readonly<Record<string, number>>;
  /** Of those that were answered. */
  readonly latency: LatencySummary;
  /** The same counts in LATENCY_BUCKETS. */
  readonly buckets: readonly number[];
  readonly histogram: LatencyHistogram;
  /** The newest trace of each bucket of `histogram`; undefined if none is known. */
  readonly exemplars: readonly (Exemplar | undefined)[];
}

/** A request with a stored trace. */
export interface Exemplar {
  readonly traceId: string;
  readonly durationMs: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** The same by performance.now(), for its age. */
  readonly upMs: number;
}

export interface EngineCounts {
  readonly succeeded: number;
  /** The engine's fault. */
  readonly failed: number;
  /** Failures that are not the engine's fault. */
  readonly others: number;
  /** How often another engine was asked beside it, because it was late. */
  readonly late: number;
  readonly dissents: number;
  /** Of answered attempts. */
  readonly latency: LatencySummary;
  readonly histogram: LatencyHistogram;
}

export interface ModelCounts {
  readonly model: string;
  readonly version: number;
  /** Answered, also from the cache. */
  readonly requests: number;
  /** Answers that engines computed. */
  readonly inferences: number;
  readonly computeS: number;
  readonly synapticOperations: number;
  readonly spikes: number;
  readonly energyJ: number;
}

/** For a file. */
export interface SavedMetrics {
  readonly sinceMs: number;
  readonly types: readonly {
    readonly type: string;
    readonly errors: Readonly<Record<string, number>>;
    readonly latencies: SavedLatencies;
  }[];
  readonly strategies: Readonly<Record<string, number>>;
  readonly engines: readonly {
    readonly id: string;
    readonly failed: number;
    readonly others: number;
    readonly late: number;
    readonly dissents: number;
    readonly latencies: SavedLatencies;
  }[];
  readonly models: readonly {
    readonly model: string;
    readonly version: number;
    readonly requests: number;
    readonly inferences: number;
    readonly computeUs: number;
    readonly synapticOperations: number;
    readonly spikes: number;
  }[];
  readonly cache: Readonly<Record<string, number>>;
  readonly votes: Readonly<Record<string, number>>;
  readonly shed: Readonly<Record<string, number>>;
  readonly agents: AgentSnapshot;
}

export const NO_ENGINE_COUNTS: EngineCounts = {
  ...{ succeeded: 0, failed: 0, others: 0, late: 0, dissents: 0 },
  ...{ latency: NO_LATENCY, histogram: NO_HISTOGRAM },
};
