// Builds the message of GetMetrics from counters and current states.
import type {
  AgentMetrics,
  CacheMetrics,
  EngineMetrics,
  LatencyMetrics,
  Metrics as MetricsMessage,
  ModelMetrics,
  RequestTypeMetrics,
  SessionMetrics,
  StrategyMetrics,
} from '../generated/tandem/v1/metrics.ts';
import { Strategy, strategyToJSON } from '../generated/tandem/v1/types.ts';
import type { AgentSnapshot } from '../telemetry/agent-counts.ts';
import type { LatencySummary } from '../telemetry/latency.ts';
import type { MeteredEngine, Reading, Standing } from '../telemetry/meter.ts';
import {
  type MetricsSnapshot,
  type ModelCounts,
  NO_ENGINE_COUNTS,
  type RequestTypeCounts,
} from '../telemetry/metrics-snapshot.ts';
import { fromBreakerState, fromEngineState, fromKind } from './enums.ts';

const STRATEGIES = Object.values(Strategy)
  .filter((strategy) => strategy > Strategy.STRATEGY_UNSPECIFIED)
  .sort((a, b) => a - b);

export function toMetrics({ counts, standing, timeMs }: Reading, uptimeS: number): MetricsMessage {
  const { cache, votes, events } = counts;
  const sidecars = standing.engines.filter(({ kind }) => kind === 'sidecar');
  return {
    sinceMs: BigInt(counts.sinceMs),
    timeMs: BigInt(timeMs),
    uptimeS,
    requests: BigInt(counts.requests),
    errors: BigInt(counts.errors),
    inFlight: standing.inFlight,
    requestTypes: counts.requestTypes.map(toRequestType),
    strategies: toStrategies(counts.strategies),
    engines: toEngines(counts.engines, standing.engines),
    cache: toCache(cache, standing.cache),
    connections: {
      clients: standing.connections.open,
      clientsTotal: BigInt(standing.connections.total),
      sidecarsConnected: sidecars.filter(({ engine }) => engine.description !== undefined).length,
      sidecars: sidecars.length,
    },
    votes: {
      unanimous: BigInt(votes.UNANIMOUS),
      majority: BigInt(votes.MAJORITY),
      disputed: BigInt(votes.DISPUTED),
      tooFew: BigInt(votes.TOO_FEW),
      plurality: BigInt(votes.PLURALITY),
      degraded: BigInt(votes.DEGRADED),
      audited: BigInt(votes.AUDITED + votes.AUDIT_DISPUTED),
      auditDisputes: BigInt(votes.AUDIT_DISPUTED),
    },
    events: {
      subscribers: standing.subscribers,
      published: toCounts(events.published),
      missed: BigInt(events.missed),
    },
    models: counts.models.map(toModel),
    waiting: standing.waiting,
    sessions: toSessions(standing.sessions),
    agents: toAgents(counts.agents),
  };
}

function toAgents({ methods, callers }: AgentSnapshot): AgentMetrics {
  return {
    methods: methods.map(({ method, answered, fallbacks }) => ({
      ...{ method, answered: BigInt(answered), fallbacks: toCounts(fallbacks) },
    })),
    callers: callers.map(({ caller, requests, promptTokens, completionTokens, usd }) => ({
      ...{ caller, usd, requests: BigInt(requests) },
      ...{ promptTokens: BigInt(promptTokens), completionTokens: BigInt(completionTokens) },
    })),
  };
}

function toModel({ requests, inferences, synapticOperations, spikes, ...counts }: ModelCounts): ModelMetrics {
  return {
    ...counts,
    requests: BigInt(requests),
    inferences: BigInt(inferences),
    synapticOperations: BigInt(synapticOperations),
    spikes: BigInt(spikes),
  };
}

function toRequestType({ type, count, errors, errorsByReason, latency }: RequestTypeCounts): RequestTypeMetrics {
  return {
    type,
    count: BigInt(count),
    errors: BigInt(errors),
    errorsByReason: toCounts(errorsByReason),
    latency: toLatency(latency),
  };
}

function toStrategies(counts: MetricsSnapshot['strategies']): StrategyMetrics[] {
  const requests = STRATEGIES.map((each) => counts.get(strategyToJSON(each).slice('STRATEGY_'.length)) ?? 0);
  const all = sum(requests);
  return STRATEGIES.map((strategy, index) => {
    const own = requests[index] ?? 0;
    return { strategy, requests: BigInt(own), share: share(own, all) };
  });
}

function toEngines(counts: MetricsSnapshot['engines'], engines: readonly MeteredEngine[]): EngineMetrics[] {
  const rows = engines.map((engine) => ({ ...(counts.get(engine.id) ?? NO_ENGINE_COUNTS), engine }));
  const all = sum(rows.map(({ succeeded }) => succeeded));
  return rows.map(({ engine, succeeded, failed, others, dissents, latency }) => ({
    engineId: engine.id,
    kind: fromKind(engine.kind),
    state: fromEngineState(engine.state),
    breaker: fromBreakerState(engine.breaker.state),
    succeeded: BigInt(succeeded),
    failed: BigInt(failed),
    others: BigInt(others),
    share: share(succeeded, all),
    inFlight: engine.inFlight,
    latency: toLatency(latency),
    dissents: BigInt(dissents),
  }));
}

function toCache(used: MetricsSnapshot['cache'], kept: Standing['cache']): CacheMetrics {
  const spared = used.HIT + used.COALESCED + used.STALE;
  return {
    hits: BigInt(used.HIT),
    misses: BigInt(used.MISS),
    coalesced: BigInt(used.COALESCED),
    stale: BigInt(used.STALE),
    bypassed: BigInt(used.BYPASSED),
    hitRatio: share(spared, spared + used.MISS),
    entries: BigInt(kept.entries),
    bytes: BigInt(kept.bytes),
    evictions: BigInt(kept.evictions),
  };
}

function toSessions({ open, bytes, waiting, opened, ended, moved, refused }: Standing['sessions']): SessionMetrics {
  return {
    ...{ open, waiting, ended: toCounts(ended) },
    ...{ bytes: BigInt(bytes), opened: BigInt(opened), moved: BigInt(moved), refused: BigInt(refused) },
  };
}

function toCounts(counts: Readonly<Record<string, number>>): Record<string, bigint> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, BigInt(count)]));
}

function toLatency(latency: LatencySummary): LatencyMetrics {
  return { ...latency, count: BigInt(latency.count) };
}

/** 0 of nothing. */
function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
