// The state of the router as one JSON object, which the stream sends every second for the live pages.
import { type EngineCounts, NO_ENGINE_COUNTS } from '../telemetry/metrics-snapshot.ts';
import type { History } from './history.ts';
import { inputCounts } from './input-counts.ts';
import type { DashboardSources, EngineView } from './sources.ts';

/** Window of the rates named "now". */
const NOW_S = 10;
const MINUTE_S = 60;

/** Counts are since `sinceMs`: the start of the router or the last reset. `now` and `minute` cover those windows. */
export function toSnapshot(sources: DashboardSources, history: History): object {
  const { timeMs, upMs, counts, standing } = sources.read();
  const { buckets: _buckets, ...inputs } = inputCounts(counts);
  const now = history.last(NOW_S);
  const sidecars = standing.engines.filter(({ kind }) => kind === 'sidecar');
  return {
    timeMs,
    startedMs: timeMs - upMs,
    sinceMs: counts.sinceMs,
    strategy: sources.router.strategy,
    canTry: sources.reason !== undefined,
    inFlight: standing.inFlight,
    waiting: standing.waiting,
    inputs,
    now: { inputsPerS: perSecond(now.inputs, now.seconds), errorsPerS: perSecond(now.errors, now.seconds) },
    minute: history.last(MINUTE_S),
    alerts: sources.alerts(),
    client: sources.client(),
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

/** Undefined: no data yet. */
function perSecond(count: number, seconds: number): number | undefined {
  return seconds > 0 ? count / seconds : undefined;
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
