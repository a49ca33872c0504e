// Everything there is to know of the router, as metric families in Prometheus's terms: base units, counters that end in
// `_total`, and label values out of bounded sets. Pure: made from a reading when it is requested, so that the path of a
// request pays nothing for it.
import { ENGINE_STATES } from '../core/engine-state.ts';
import { agentFamilies } from './agent-families.ts';
import type { Family, Labels, Sample } from './family.ts';
import { BOUNDS_S, type LatencyHistogram, NO_HISTOGRAM } from './latency.ts';
import type { MeteredEngine, Reading } from './meter.ts';
import { OTHER } from './metrics.ts';
import { type EngineCounts, type ModelCounts, NO_ENGINE_COUNTS, type RequestTypeCounts } from './metrics-snapshot.ts';

/** Engines, and model versions, with series of their own; all others share `other`. Each engine has some thirty. */
export const MAX_LABELLED_ENGINES = 64;
export const MAX_LABELLED_MODELS = 64;

/** An exemplar that is older points to a trace that is hardly kept any more. */
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
      help: 'The same durations since counting began, as quantiles within 1 % of the exact ones. Not to be averaged.',
      samples: requestTypes.map(({ type, latency }) => ({ labels: { method: type }, latency })),
    },
    counter(
      'tandem_requests_shed_total',
      'Requests refused with ROUTER_FULL, by what the router has too little of: engines with room, its own CPU, or memory.',
      Object.entries(counts.shed).map(([lack, value]) => ({ labels: { lack: lower(lack) }, value })),
    ),
    gauge('tandem_requests_in_flight', 'Inputs that are being reasoned about now.', standing.inFlight),
    gauge('tandem_requests_waiting', 'Inputs that wait for a free engine now.', standing.waiting),
    counter(
      'tandem_strategy_requests_total',
      'Inputs that engines were chosen for, by strategy; cached ones are left out.',
      [...counts.strategies].map(([strategy, value]) => ({ labels: { strategy }, value })),
    ),
    counter(
      'tandem_engine_attempts_total',
      'Attempts that have ended: answered, failed by the fault of the engine, or neither (other).',
      [
        ...ofEngines(({ succeeded }) => succeeded).map(withLabel('outcome', 'answered')),
        ...ofEngines(({ failed }) => failed).map(withLabel('outcome', 'failed')),
        ...ofEngines(({ others }) => others).map(withLabel('outcome', 'other')),
      ],
    ),
    {
      ...{ name: 'tandem_engine_attempt_duration_seconds', type: 'histogram' },
      help: 'Of answered attempts, as the router saw it.',
      samples: engines.map(({ engine, counted }) => ({
        ...{ labels: { engine }, exemplars: [] },
        histogram: counted.map(({ histogram }) => histogram).reduce(merged, NO_HISTOGRAM),
      })),
    },
    counter(
      'tandem_engine_dissents_total',
      'Ballots that did not agree with the verdict.',
      ofEngines(({ dissents }) => dissents),
    ),
    gauge(
      'tandem_engine_in_flight',
      'Inputs that were sent to the engine and are not answered.',
      engines.map(({ engine, members }) => ({
        labels: { engine },
        value: total(members, ({ inFlight }) => inFlight),
      })),
    ),
    gauge(
      'tandem_engine_state',
      '1 for the state that the engine is in, 0 for the others.',
      engines.flatMap(({ engine, members }) =>
        ENGINE_STATES.map((state) => ({
          labels: { engine, state: lower(state) },
          value: count(members, (each) => each.state === state),
        })),
      ),
    ),
    gauge(
      'tandem_engine_breaker_state',
      '1 for the state that the circuit breaker of the engine is in, 0 for the others.',
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
      'Inputs by what the result cache did for them.',
      Object.entries(cache).map(([status, value]) => ({ labels: { status: lower(status) }, value })),
    ),
    gauge('tandem_cache_entries', 'Answers kept now.', entries),
    gauge('tandem_cache_bytes', 'Bytes of inputs and answers kept now.', bytes),
    counter('tandem_cache_evictions_total', 'Answers pushed out by newer ones.', evictions),
    counter(
      'tandem_votes_total',
      'Votes by how they ended.',
      VERDICTS.map((verdict) => ({ labels: { verdict: lower(verdict) }, value: votes[verdict] })),
    ),
    counter('tandem_audits_total', 'Answers checked on a second engine in the background, by what it said.', [
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
      'Connections of clients that ended by a fault, by kind; the log has each.',
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
      'Time of engines, simulating, by model version.',
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
      'Sessions that ended, by why.',
      Object.entries(standing.sessions.ended).map(([why, value]) => ({ labels: { why: lower(why) }, value })),
    ),
    counter(
      'tandem_session_moves_total',
      'Messages of sessions that another engine answered than the message before.',
      standing.sessions.moved,
    ),
    counter(
      'tandem_session_refusals_total',
      'Messages refused because sessions were at a limit (SESSION_LIMIT).',
      standing.sessions.refused,
    ),
    ...agentFamilies(counts.agents),
    counter('tandem_bugs_total', 'Errors of the router that nothing caught; the log has each.', standing.bugs),
    counter('tandem_spans_dropped_total', 'Spans of traces that were lost on their way out.', standing.spans.dropped),
    counter('tandem_log_lines_dropped_total', 'Lines of the log whose reader was too slow.', standing.linesDropped),
    counter(
      'tandem_caller_calls_total',
      'Calls of each caller of setting auth; "others": of all others.',
      [...standing.callers].map(([caller, { calls }]) => ({ labels: { caller }, value: calls })),
    ),
    counter(
      'tandem_caller_refused_total',
      'Calls, batches and items that were beyond the limits of their caller.',
      [...standing.callers].map(([caller, { refused }]) => ({ labels: { caller }, value: refused })),
    ),
    counter(
      'tandem_tls_handshakes_failed_total',
      'Connections of clients that ended in their TLS handshake.',
      standing.handshakesFailed,
    ),
    gauge(
      'tandem_discovery_problem',
      '1: the name of engines is not resolved, or lists addresses where no engine serves.',
      standing.names.map(({ name }) => ({ labels: { name }, value: 1 })),
    ),
    gauge(
      'tandem_counting_since_timestamp_seconds',
      'When counting began: start, or last reset.',
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

/** Members by name; those beyond the first `max` are members of `other`. */
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
