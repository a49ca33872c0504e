// GetMetrics and Prometheus must report the same for 10,000 known requests.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Random } from '../../test/fuzz/random.ts';
import { type Series, parseExposition, valueOf } from '../../test/support/exposition.ts';
import { metered, meteredEngine } from '../../test/support/metered.ts';
import { ERROR_KINDS } from '../core/errors.ts';
import type { CacheStatusName, Outcome, VerdictName } from '../core/observer.ts';
import type { Metrics as MetricsMessage } from '../generated/tandem/v1/metrics.ts';
import { BOUNDS_S } from '../telemetry/latency.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Prometheus } from '../telemetry/prometheus.ts';
import { toMetrics } from './metrics-message.ts';

const REQUESTS = 10_000;
const TYPES = ['Ping', 'Reason', 'ReasonBatch.item'] as const;
const OUTCOMES: Outcome[] = ['OK', 'OK', 'OK', 'OK', 'OK', 'INPUT_LENGTH', 'INVALID_FIELD', 'NO_ENGINE', 'CANCELLED'];
const ENGINES = ['local', 'engine-1', 'engine-2'];
const STRATEGIES = ['ROUND_ROBIN', 'FASTEST', 'REDUNDANT'];
const STATUSES: CacheStatusName[] = ['HIT', 'MISS', 'COALESCED', 'STALE', 'BYPASSED'];
const VERDICTS: VerdictName[] = ['UNANIMOUS', 'MAJORITY', 'DISPUTED', 'TOO_FEW', 'AUDITED', 'AUDIT_DISPUTED'];

/** "name|label" → count. */
const known = new Map<string, number>();
const durationsMs = new Map<string, number[]>(TYPES.map((type) => [type, []]));

function add(what: string, more = 1): void {
  known.set(what, (known.get(what) ?? 0) + more);
}

function happen(metrics: Metrics, random: Random): void {
  const type = random.pick(TYPES);
  const outcome = random.pick(OUTCOMES);
  const durationMs = 0.05 - 4 * Math.log(1 - random.next());
  metrics.requestEnded(type, outcome, durationMs);
  add(`request|${type}|${outcome}`);
  if (outcome === 'OK') durationsMs.get(type)!.push(durationMs);

  const engine = random.pick(ENGINES);
  const attempt = random.pick<Outcome>(['OK', 'OK', 'OK', 'ENGINE_LOST', 'CANCELLED']);
  metrics.attemptEnded(engine, attempt, durationMs);
  add(`attempt|${engine}|${attempt}`);

  const strategy = random.pick(STRATEGIES);
  metrics.planned(strategy);
  add(`strategy|${strategy}`);

  const status = random.pick(STATUSES);
  metrics.cacheUsed(status);
  add(`cache|${status}`);

  const verdict = random.pick(VERDICTS);
  metrics.voted(verdict, verdict === 'MAJORITY' ? [engine] : []);
  add(`vote|${verdict}`);
  if (verdict === 'MAJORITY') add(`dissent|${engine}`);

  const version = random.integer(1, 2);
  const work = {
    computeUs: 400,
    batchItems: 4,
    synapticOperations: BigInt(random.integer(1, 50_000)),
    totalSpikes: 7n,
  };
  metrics.answered('m', version);
  metrics.computed('m', version, work);
  add(`answered|${version}`);
  add(`operations|${version}`, Number(work.synapticOperations));
}

let message: MetricsMessage;
let series: Series[];

beforeAll(async () => {
  const { metrics, meter } = metered({
    engines: ENGINES.map((id) => meteredEngine(id, { kind: id === 'local' ? 'local' : 'sidecar', inFlight: 2 })),
    ...{ inFlight: 5, waiting: 3, cache: { entries: 11, bytes: 2_222, evictions: 33 } },
    connections: { open: 4, total: 44 },
    connectionFaults: new Map([['resets', 6]]),
  });
  const random = new Random(5);
  for (let k = 0; k < REQUESTS; k += 1) happen(metrics, random);
  message = toMetrics(meter.read(), 60);
  series = parseExposition((await new Prometheus(() => meter.read()).exposition('')).body);
});

const sample = (name: string, labels: Record<string, string> = {}): number => valueOf(series, name, labels);
const times = (what: string): number => known.get(what) ?? 0;

describe('metrics of 10,000 known requests', () => {
  it.each(TYPES)('have the same counts by outcome for type %s', (type) => {
    const reported = message.requestTypes.find((each) => each.type === type)!;
    const answered = times(`request|${type}|OK`);
    expect(Number(reported.count - reported.errors)).toBe(answered);
    expect(sample('tandem_requests_total', { method: type, code: 'OK' })).toBe(answered);
    for (const kind of ['INPUT_LENGTH', 'INVALID_FIELD', 'NO_ENGINE', 'CANCELLED'] as const) {
      const { code } = ERROR_KINDS[kind];
      const expected = times(`request|${type}|${kind}`);
      expect(Number(reported.errorsByReason[`${code}/${kind}`])).toBe(expected);
      expect(sample('tandem_request_errors_total', { method: type, code, reason: kind })).toBe(expected);
    }
    const invalid = times(`request|${type}|INPUT_LENGTH`) + times(`request|${type}|INVALID_FIELD`);
    expect(sample('tandem_requests_total', { method: type, code: 'INVALID_ARGUMENT' })).toBe(invalid);
  });

  it('sum to the number of requests', () => {
    expect(Number(message.requests)).toBe(REQUESTS);
    const all = series
      .filter(({ name }) => name === 'tandem_requests_total')
      .reduce((sum, { value }) => sum + value, 0);
    expect(all).toBe(REQUESTS);
  });

  it.each(TYPES)('of type %s have the right histogram counts', (type) => {
    const values = durationsMs.get(type)!;
    for (const bound of BOUNDS_S) {
      const below = values.filter((ms) => Math.round(ms * 1e6) <= Math.round(bound * 1e9)).length;
      expect([bound, sample('tandem_request_duration_seconds_bucket', { method: type, le: String(bound) })]).toEqual([
        bound,
        below,
      ]);
    }
    const labels = { method: type };
    expect(sample('tandem_request_duration_seconds_bucket', { ...labels, le: '+Inf' })).toBe(values.length);
    expect(sample('tandem_request_duration_seconds_count', labels)).toBe(values.length);
    const sumS = values.reduce((sum, ms) => sum + ms / 1e3, 0);
    expect(Math.abs(sample('tandem_request_duration_seconds_sum', labels) / sumS - 1)).toBeLessThan(1e-6);
  });

  it.each(TYPES)('of type %s have percentiles within 2 %%', (type) => {
    const values = durationsMs.get(type)!.toSorted((a, b) => a - b);
    const { latency } = message.requestTypes.find((each) => each.type === type)!;
    for (const [quantile, toldMs] of [
      [0.5, latency!.p50Ms],
      [0.95, latency!.p95Ms],
      [0.99, latency!.p99Ms],
    ] as const) {
      const exactMs = values[Math.ceil(quantile * values.length) - 1]!;
      const labels = { method: type, quantile: String(quantile) };
      const exposedMs = sample('tandem_request_duration_quantiles_seconds', labels) * 1e3;
      expect(Math.abs(toldMs / exactMs - 1)).toBeLessThan(0.02);
      expect(exposedMs).toBeCloseTo(toldMs, 9);
    }
  });

  it('have the same counts by engine', () => {
    for (const engine of ENGINES) {
      const reported = message.engines.find(({ engineId }) => engineId === engine)!;
      const attempts = ['OK', 'ENGINE_LOST', 'CANCELLED'].map((outcome) => times(`attempt|${engine}|${outcome}`));
      expect([reported.succeeded, reported.failed, reported.others].map(Number)).toEqual(attempts);
      const exposed = ['answered', 'failed', 'other'].map((outcome) =>
        sample('tandem_engine_attempts_total', { engine, outcome }),
      );
      expect(exposed).toEqual(attempts);
      expect(Number(reported.dissents)).toBe(times(`dissent|${engine}`));
      expect(sample('tandem_engine_dissents_total', { engine })).toBe(times(`dissent|${engine}`));
      expect(sample('tandem_engine_attempt_duration_seconds_count', { engine })).toBe(attempts[0]);
    }
  });

  it('have the same counts by strategy, cache and verdict', () => {
    for (const strategy of STRATEGIES) {
      expect(sample('tandem_strategy_requests_total', { strategy })).toBe(times(`strategy|${strategy}`));
    }
    expect(message.strategies.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(REQUESTS);
    const { hits, misses, coalesced, stale, bypassed } = message.cache!;
    expect([hits, misses, coalesced, stale, bypassed].map(Number)).toEqual(
      ['HIT', 'MISS', 'COALESCED', 'STALE', 'BYPASSED'].map((status) => times(`cache|${status}`)),
    );
    for (const status of STATUSES) {
      expect(sample('tandem_cache_requests_total', { status: status.toLowerCase() })).toBe(times(`cache|${status}`));
    }
    for (const verdict of ['UNANIMOUS', 'MAJORITY', 'DISPUTED', 'TOO_FEW']) {
      expect(sample('tandem_votes_total', { verdict: verdict.toLowerCase() })).toBe(times(`vote|${verdict}`));
    }
    const { votes } = message;
    expect([votes!.unanimous, votes!.majority, votes!.disputed, votes!.tooFew].map(Number)).toEqual(
      ['UNANIMOUS', 'MAJORITY', 'DISPUTED', 'TOO_FEW'].map((verdict) => times(`vote|${verdict}`)),
    );
    expect(Number(votes!.audited)).toBe(
      sample('tandem_audits_total', { result: 'agreed' }) + sample('tandem_audits_total', { result: 'disputed' }),
    );
    expect(sample('tandem_audits_total', { result: 'disputed' })).toBe(times('vote|AUDIT_DISPUTED'));
  });

  it('have the same costs by model', () => {
    for (const reported of message.models) {
      const labels = { model: 'm', version: String(reported.version) };
      const answered = times(`answered|${reported.version}`);
      const operations = times(`operations|${reported.version}`);
      expect([reported.requests, reported.inferences, reported.spikes].map(Number)).toEqual([
        answered,
        answered,
        7 * answered,
      ]);
      expect(sample('tandem_model_requests_total', labels)).toBe(answered);
      expect(sample('tandem_model_inferences_total', labels)).toBe(answered);
      expect(Number(reported.synapticOperations)).toBe(operations);
      expect(sample('tandem_model_synaptic_operations_total', labels)).toBe(operations);
      // Four inputs shared 400 µs.
      expect(reported.computeS).toBeCloseTo(answered * 1e-4, 9);
      expect(sample('tandem_model_compute_seconds_total', labels)).toBe(reported.computeS);
      expect(reported.energyJ).toBeCloseTo(operations * 0.9e-12, 18);
      expect(sample('tandem_model_energy_joules_total', labels)).toBe(reported.energyJ);
    }
    expect(message.models.map(({ version }) => version)).toEqual([1, 2]);
  });

  it('report current values of in-flight requests, cache and connections', () => {
    expect([message.inFlight, message.waiting]).toEqual([5, 3]);
    expect([sample('tandem_requests_in_flight'), sample('tandem_requests_waiting')]).toEqual([5, 3]);
    const { entries, bytes, evictions } = message.cache!;
    expect([entries, bytes, evictions].map(Number)).toEqual([11, 2_222, 33]);
    expect(['entries', 'bytes', 'evictions_total'].map((name) => sample(`tandem_cache_${name}`))).toEqual([
      11, 2_222, 33,
    ]);
    expect([sample('tandem_client_connections'), sample('tandem_client_connections_opened_total')]).toEqual([4, 44]);
    expect(sample('tandem_client_connection_faults_total', { kind: 'resets' })).toBe(6);
  });
});
