// All metrics of the router as Prometheus metric families: base units, counters that end in `_total`, and label values
// from bounded sets. Pure: built from a reading on demand, so requests pay nothing for it.
import { ENGINE_STATES } from '../core/engine-state.ts';
import { agentFamilies } from './agent-families.ts';
import type { Family, Labels, Sample } from './family.ts';
import { BOUNDS_S, type LatencyHistogram, NO_HISTOGRAM } from './latency.ts';
import type { MeteredEngine, Reading } from './meter.ts';
import { OTHER } from './metrics.ts';
import { type EngineCounts, type ModelCounts, NO_ENGINE_COUNTS, type RequestTypeCounts } from './metrics-snapshot.ts';

/**
 * Maximum engines and model versions with separate series; all others share `other`. Each engine has some thirty
 * series.
 */
export const MAX_LABELLED_ENGINES = 64;
export const MAX_LABELLED_MODELS = 64;

/** Older exemplars are dropped, since their traces are probably no longer stored. */
const EXEMPLAR_AGE_MS = 600_000;

const BREAKER_STATES = ['CLOSED', 'OPEN', 'HALF_OPEN'] as const;
const VERDICTS = ['UNANIMOUS', 'MAJORITY', 'PLURALITY', 'DEGRADED', 'DISPUTED', 'TOO_FEW'] as const;

export function toFamilies({ counts, standing, upMs }: Reading): Family[] {
  const { requestTypes, cache, votes } = counts;
  const engines = fold(standing.engines, MAX_LABELLED_ENGINES, ({ id }) => id).map(([engine, members]) => ({
    engine,
    members,
    counted: members.map(({ id }) => counts.engines.get(id) ?? NO_ENGINE_COUNTS),
  }));
  const models = fold(counts.models, MAX_LABELLED_MODELS, ({ model, version }) => `${model}/${version}`);
  const ofModels = (figure: (counts: ModelCounts) => number): Sample[] =>
    models.map(([name, members]) => ({ labels: modelLabels(name), value: total(members, figure) }));
  const ofEngines = (figure: (counted: EngineCounts) => number): Sample[] =>
    engines.map(({ engine, counted }) => ({ labels: { engine }, value: total(counted, figure) }));
  const count = (names: readonly MeteredEngine[], is: (engine: MeteredEngine) => boolean): number =>
    names.filter(is).length;
  const sidecars = standing.engines.filter(({ kind }) => kind === 'sidecar');
  const { entries, bytes, evictions } = standing.cache;

  return [
    counter('tandem_requests_total', 'Requests that have ended, by rpc and gRPC status.', requestTypes.flatMap(byCode)),
    counter(
      'tandem_request_errors_total',
      'Requests that failed, by rpc, gRPC status and reason (as in google.rpc.ErrorInfo).',
      requestTypes.flatMap(byReason),
    ),
    {
      ...{ name: 'tandem_request_duration_seconds', type: 'histogram' },
      help: 'From receipt to answer, of requests that were answered, by rpc.',
      samples: requestTypes.map(({ type, histogram, exemplars }) => ({
        ...{ labels: { method: type }, histogram },
        exemplars: exemplars.map((each) => (each && upMs - each.upMs <= EXEMPLAR_AGE_MS ? each : undefined)),
      })),
    },
    {
      ...{ name: 'tandem_request_duration_quantiles_seconds', type: 'summary' },
      help: 'The same durations since counting began, as quantiles within 1 % of the exact ones. Do not average them.',
      samples: requestTypes.map(({ type, latency }) => ({ labels: { method: type }, latency })),
    },
    counter(
      'tandem_requests_shed_total',
      'Requests refused with ROUTER_FULL, by the missing resource: free engines, the router’s CPU, or memory.',
      Object.entries(counts.shed).map(([lack, value]) => ({ labels: { lack: lower(lack) }, value })),
    ),
    gauge('tandem_requests_in_flight', 'Inputs in flight.', standing.inFlight),
    gauge('tandem_requests_waiting', 'Inputs that wait for a free engine now.', standing.waiting),
    counter(
      'tandem_strategy_requests_total',
      'Inputs by strategy, without cached ones.',
      [...counts.strategies].map(([strategy, value]) => ({ labels: { strategy }, value })),
    ),
    counter('tandem_engine_attempts_total', 'Ended attempts: answered, failed (fault of the engine), or other.', [
      ...ofEngines(({ succeeded }) => succeeded).map(withLabel('outcome', 'answered')),
      ...ofEngines(({ failed }) => failed).map(withLabel('outcome', 'failed')),
      ...ofEngines(({ others }) => others).map(withLabel('outcome', 'other')),
    ]),
    {
      ...{ name: 'tandem_engine_attempt_duration_seconds', type: 'histogram' },
      help: 'Duration of answered attempts, measured by the router.',
      samples: engines.map(({ engine, counted }) => ({
        ...{ labels: { engine }, exemplars: [] },
        histogram: counted.map(({ histogram }) => histogram).reduce(merged, NO_HISTOGRAM),
      })),
    },
    counter(
      'tandem_engine_late_total',
      'Attempts that were late, so that another engine was asked beside this one.',
      ofEngines(({ late }) => late),
    ),
    counter(
      'tandem_engine_dissents_total',
      'Ballots that did not agree with the verdict.',
      ofEngines(({ dissents }) => dissents),
    ),
    gauge(
      'tandem_engine_in_flight',
      'Unanswered inputs of the engine.',
      engines.map(({ engine, members }) => ({
        labels: { engine },
        value: total(members, ({ inFlight }) => inFlight),
      })),
    ),
    gauge(
      'tandem_engine_state',
      '1 for the current state of the engine, 0 for the others.',
      engines.flatMap(({ engine, members }) =>
        ENGINE_STATES.map((state) => ({
          labels: { engine, state: lower(state) },
          value: count(members, (each) => each.state === state),
        })),
      ),
    ),
    gauge(
      'tandem_engine_breaker_state',
      '1 for the current state of the engine’s circuit breaker, 0 for the others.',
      engines.flatMap(({ engine, members }) =>
        BREAKER_STATES.map((state) => ({
          labels: { engine, state: lower(state) },
          value: count(members, ({ breaker }) => breaker.state === state),
        })),
      ),
    ),
    gauge(
      'tandem_engine_model_problems',
      'Model versions of the repository that the engine cannot serve: it holds other weights, or cannot use them.',
      engines.map(({ engine, members }) => ({
        labels: { engine },
        value: total(members, ({ modelProblems }) => modelProblems.length),
      })),
    ),
    gauge(
      'tandem_engines',
      'Engines in the pool, by kind and state.',
      (['local', 'sidecar'] as const).flatMap((kind) =>
        ENGINE_STATES.map((state) => ({
          labels: { kind, state: lower(state) },
          value: count(standing.engines, (each) => each.kind === kind && each.state === state),
        })),
      ),
    ),
    gauge(
      'tandem_sidecars_connected',
      'Sidecars that are connected now.',
      count(sidecars, ({ engine }) => engine.description !== undefined),
    ),
    counter(
      'tandem_cache_requests_total',
      'Inputs by result of the cache look-up.',
      Object.entries(cache).map(([status, value]) => ({ labels: { status: lower(status) }, value })),
    ),
    gauge('tandem_cache_entries', 'Answers kept now.', entries),
    gauge('tandem_cache_bytes', 'Bytes of cached inputs and answers.', bytes),
    counter('tandem_cache_evictions_total', 'Answers evicted by newer ones.', evictions),
    counter(
      'tandem_votes_total',
      'Votes by verdict.',
      VERDICTS.map((verdict) => ({ labels: { verdict: lower(verdict) }, value: votes[verdict] })),
    ),
    counter('tandem_audits_total', 'Answers checked on a second engine in the background, by result.', [
      { labels: { result: 'agreed' }, value: votes.AUDITED },
      { labels: { result: 'disputed' }, value: votes.AUDIT_DISPUTED },
    ]),
    gauge('tandem_client_connections', 'Connections of clients, open now.', standing.connections.open),
    counter(
      'tandem_client_connections_opened_total',
      'Connections that clients have opened.',
      standing.connections.total,
    ),
    counter(
      'tandem_client_connection_faults_total',
      'Client connections that ended with an error, by kind; each is in the log.',
      [...standing.connectionFaults].map(([kind, value]) => ({ labels: { kind }, value })),
    ),
    counter(
      'tandem_model_requests_total',
      'Inputs that were answered, also from the cache, by model version.',
      ofModels(({ requests }) => requests),
    ),
    counter(
      'tandem_model_inferences_total',
      'Answers that engines computed, by model version: several for a vote, none for a cached answer.',
      ofModels(({ inferences }) => inferences),
    ),
    counter(
      'tandem_model_compute_seconds_total',
      'Simulation time of engines, by model version.',
      ofModels(({ computeS }) => computeS),
    ),
    counter(
      'tandem_model_synaptic_operations_total',
      'Weight additions caused by values that were not zero, by model version.',
      ofModels(({ synapticOperations }) => synapticOperations),
    ),
    counter(
      'tandem_model_spikes_total',
      'Spikes of all neurons, by model version.',
      ofModels(({ spikes }) => spikes),
    ),
    counter(
      'tandem_model_energy_joules_total',
      'Estimate: synaptic operations times 0.9 pJ, a float32 addition in 45 nm (Horowitz, ISSCC 2014); not of this CPU.',
      ofModels(({ energyJ }) => energyJ),
    ),
    gauge('tandem_sessions', 'Sessions of clients that are open now.', standing.sessions.open),
    gauge('tandem_session_bytes', 'Memory of the open sessions.', standing.sessions.bytes),
    gauge(
      'tandem_session_messages_waiting',
      'Messages that wait for their turn in a session.',
      standing.sessions.waiting,
    ),
    counter('tandem_sessions_opened_total', 'Sessions that were opened.', standing.sessions.opened),
    counter(
      'tandem_sessions_ended_total',
      'Sessions that ended, by reason.',
      Object.entries(standing.sessions.ended).map(([why, value]) => ({ labels: { why: lower(why) }, value })),
    ),
    counter(
      'tandem_session_moves_total',
      'Session messages answered by a different engine than the previous message.',
      standing.sessions.moved,
    ),
    counter(
      'tandem_session_refusals_total',
      'Messages refused because sessions were at a limit (SESSION_LIMIT).',
      standing.sessions.refused,
    ),
    ...agentFamilies(counts.agents),
    counter('tandem_bugs_total', 'Uncaught errors of the router; each is in the log.', standing.bugs),
    counter('tandem_spans_dropped_total', 'Spans that were lost before they were exported.', standing.spans.dropped),
    counter('tandem_log_lines_dropped_total', 'Lines of the log whose reader was too slow.', standing.linesDropped),
    counter(
      'tandem_caller_calls_total',
      'Calls of each caller of setting auth; "others": of all others.',
      [...standing.callers].map(([caller, { calls }]) => ({ labels: { caller }, value: calls })),
    ),
    counter(
      'tandem_caller_refused_total',
      'Calls, batches and items over the limits of their caller.',
      [...standing.callers].map(([caller, { refused }]) => ({ labels: { caller }, value: refused })),
    ),
    counter(
      'tandem_tls_handshakes_failed_total',
      'Connections of clients that ended in their TLS handshake.',
      standing.handshakesFailed,
    ),
    gauge(
      'tandem_discovery_problem',
      '1: the host name of engines cannot be resolved, or lists addresses without a serving engine.',
      standing.names.map(({ name }) => ({ labels: { name }, value: 1 })),
    ),
    gauge(
      'tandem_counting_since_timestamp_seconds',
      'Start of the counting: the start of the router, or the last reset.',
      counts.sinceMs / 1e3,
    ),
  ];
}

type Samples = readonly Sample[] | number;

function counter(name: string, help: string, samples: Samples): Family {
  return { name, help, type: 'counter', samples: toSamples(samples) };
}

function gauge(name: string, help: string, samples: Samples): Family {
  return { name, help, type: 'gauge', samples: toSamples(samples) };
}

function toSamples(samples: Samples): readonly Sample[] {
  return typeof samples === 'number' ? [{ labels: {}, value: samples }] : samples;
}

function byCode({ type, latency, errorsByReason }: RequestTypeCounts): Sample[] {
  const codes = new Map([['OK', latency.count]]);
  for (const [reason, times] of Object.entries(errorsByReason)) {
    const [code = ''] = reason.split('/');
    codes.set(code, (codes.get(code) ?? 0) + times);
  }
  return [...codes].map(([code, value]) => ({ labels: { method: type, code }, value }));
}

function byReason({ type, errorsByReason }: RequestTypeCounts): Sample[] {
  return Object.entries(errorsByReason).map(([name, value]) => {
    const [code = '', reason = ''] = name.split('/');
    return { labels: { method: type, code, reason }, value };
  });
}

/** Members by name; after the first `max`, the rest are in `other`. */
function fold<T>(members: readonly T[], max: number, nameOf: (member: T) => string): [name: string, members: T[]][] {
  const groups = new Map<string, T[]>();
  for (const member of members) {
    const own = nameOf(member);
    const name = groups.has(own) || groups.size < max ? own : OTHER;
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(member);
  }
  return [...groups];
}

function modelLabels(name: string): Labels {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? { model: name, version: '' } : { model: name.slice(0, slash), version: name.slice(slash + 1) };
}

function withLabel(name: string, text: string): (sample: Sample) => Sample {
  return ({ labels, value }) => ({ labels: { ...labels, [name]: text }, value });
}

function merged(a: LatencyHistogram, b: LatencyHistogram): LatencyHistogram {
  return {
    buckets: BOUNDS_S.concat(Infinity).map((_, index) => (a.buckets[index] ?? 0) + (b.buckets[index] ?? 0)),
    count: a.count + b.count,
    sumS: a.sumS + b.sumS,
  };
}

function total<T>(list: readonly T[], figure: (member: T) => number): number {
  return list.reduce((sum, member) => sum + figure(member), 0);
}

function lower(name: string): string {
  return name.toLowerCase();
}
