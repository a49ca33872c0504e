// How things stand, as one JSON object: what the stream sends every second, and what the live pages show.
import type { EngineCounts, MetricsSnapshot } from '../telemetry/metrics.ts';
import { NO_ENGINE_COUNTS } from '../telemetry/metrics.ts';
import { LATENCY_BUCKETS } from '../telemetry/latency.ts';
import type { DashboardSources, EngineView } from './sources.ts';

/** One input each: a batch counts by its items. Others, such as Ping, would hide what these take. */
const REASONING = new Set(['Reason', 'ReasonBatch.item', 'ReasonStream.item', 'ModelInfer.item', 'Dashboard.Reason']);

/** Since the router, or its counting, started; the page makes rates of two of them. */
export function toSnapshot(sources: DashboardSources): object {
  const { timeMs, upMs, counts, standing } = sources.read();
  const sidecars = standing.engines.filter(({ kind }) => kind === 'sidecar');
  return {
    timeMs,
    upMs,
    sinceMs: counts.sinceMs,
    strategy: sources.router.strategy,
    canTry: sources.reason !== undefined,
    inFlight: standing.inFlight,
    waiting: standing.waiting,
    reasoning: toReasoning(counts),
    requestTypes: counts.requestTypes.map(({ buckets: _, histogram: __, exemplars: ___, ...type }) => type),
    strategies: Object.fromEntries(counts.strategies),
    cache: { ...counts.cache, ...standing.cache },
    connections: {
      ...standing.connections,
      sidecars: sidecars.length,
      sidecarsConnected: sidecars.filter(({ engine }) => engine.description !== undefined).length,
    },
    votes: counts.votes,
    events: { ...counts.events, subscribers: standing.subscribers },
    engines: sources.engines().map((engine) => toEngine(engine, counts.engines.get(engine.id) ?? NO_ENGINE_COUNTS)),
  };
}

function toReasoning({ requestTypes }: MetricsSnapshot): object {
  const types = requestTypes.filter(({ type }) => REASONING.has(type));
  const buckets = Array.from({ length: LATENCY_BUCKETS }, () => 0);
  for (const type of types) type.buckets.forEach((count, at) => (buckets[at]! += count));
  return {
    count: types.reduce((sum, { count }) => sum + count, 0),
    errors: types.reduce((sum, { errors }) => sum + errors, 0),
    buckets,
  };
}

function toEngine(engine: EngineView, { histogram: _, ...figures }: EngineCounts): object {
  return {
    id: engine.id,
    kind: engine.kind,
    address: engine.engine.address,
    state: engine.state,
    why: engine.unavailableReason,
    build: engine.build,
    inFlight: engine.inFlight,
    limit: engine.limit.limit,
    recentMs: engine.speed.latencyMs,
    ...figures,
    breaker: { state: engine.breaker.state, events: engine.breaker.events },
    models: engine.models.map(({ name, version, error }) => ({ name, version, error })),
    modelProblems: engine.modelProblems,
  };
}
