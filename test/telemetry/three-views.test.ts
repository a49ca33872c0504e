// 10,000 requests of every kind in GetMetrics, Prometheus and the dashboard: each must agree with the counts of the
// callers.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Metrics } from '../../services/generated/tandem/v1/metrics.ts';
import { strategyToJSON } from '../../services/generated/tandem/v1/types.ts';
import { Fleet } from '../integration/router-table/fleet.ts';
import { type Series, parseExposition, valueOf } from '../support/exposition.ts';
import { Operator } from '../support/operator.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { openBrowser, visit } from './browser.ts';
import { type CallerTally, type Counts, total } from './caller-tally.ts';
import { IDS, MixedRequests, REQUESTS } from './mixed-requests.ts';
import { barsOf, factsOf, goTo, rowsOf, tilesOf, toCount, toMs } from './page-figures.ts';

jest.setTimeout(120_000);

const TYPES = ['Ping', 'Reason', 'ReasonBatch', 'ReasonBatch.item', 'ReasonStream', 'ReasonStream.item'];
const INPUTS = ['Reason', 'ReasonBatch.item', 'ReasonStream.item'];

/**
 * A request is counted a moment after its duration was reported in its answer. services/api/metrics-exposition.test.ts
 * checks, without that delay, that percentiles are within 2 %.
 */
const LAG_MS = 1;

let fleet: Fleet<(typeof IDS)[number]>;
let system: System;
let operator: Operator;
let browser: Browser;
let page: Page;

let known: CallerTally;
let metrics: Metrics;
let series: Series[];

beforeAll(async () => {
  [fleet, browser] = await Promise.all([Fleet.start(IDS), openBrowser()]);
  system = await startSystem({
    ...{ sidecars: fleet.settings, spawn: { count: 0 }, local: { enabled: false }, strategy: 'ROUND_ROBIN' },
    quarantine: { dissents: 1_000 }, // the lying engine continues to vote
    stall_timeout_ms: 10_000, // a cancelled engine is not lost
  });
  operator = new Operator(system.adminAddress);
  const mixed = new MixedRequests(system.address, fleet);
  await mixed.send(async () => (await operator.metrics()).inFlight);
  mixed.close();
  known = mixed.tally;
  const isClosed = async (): Promise<boolean> => (await operator.metrics()).connections?.clients === 0;
  await until(isClosed, { what: 'the router to see that its caller has left' });
  metrics = await operator.metrics();
  series = parseExposition((await system.prometheus.exposition('')).body);
  ({ page } = await visit(browser, `http://${system.httpAddress}/`));
  await page.getByText('Live', { exact: true }).waitFor();
});

afterAll(async () => {
  operator.close();
  await browser.close();
  await system.stop();
  await fleet.stop();
});

const sample = (name: string, labels: Record<string, string> = {}): number => valueOf(series, name, labels);
const toldOf = (type: string): Metrics['requestTypes'][number] =>
  metrics.requestTypes.find((each) => each.type === type)!;

/** Without those that are 0. */
function some(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** FASTEST → Fastest */
function asTitles(counts: Counts): Counts {
  const title = (name: string): string => name.charAt(0) + name.slice(1).toLowerCase().replaceAll('_', ' ');
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [title(name), count]));
}

/** All samples of a family of the exposition, by one of its labels. */
function byLabel(name: string, label: string): Counts {
  const samples = series.filter((each) => each.name === name);
  return some(Object.fromEntries(samples.map(({ labels, value }) => [labels[label]!.toUpperCase(), value])));
}

describe('10,000 requests', () => {
  it('are of every kind', () => {
    expect(known.requests).toBe(REQUESTS);
    expect(Object.keys(known.types).sort()).toEqual(TYPES);
    expect(Object.keys(known.types['Reason']!.errors).sort()).toEqual([
      'CANCELLED/CANCELLED',
      'DEADLINE_EXCEEDED/DEADLINE_EXCEEDED',
      'INVALID_ARGUMENT/INPUT_LENGTH',
      'NOT_FOUND/UNKNOWN_MODEL',
    ]);
    expect(Object.keys(known.cache).sort()).toEqual(['BYPASSED', 'COALESCED', 'HIT', 'MISS']);
    expect(Object.keys(known.votes).sort()).toEqual(['MAJORITY', 'UNANIMOUS']);
  });

  it('are counted by type and outcome', async () => {
    await goTo(page, 'Overview');
    await until(async () => (await rowsOf(page, 'By type')).length > TYPES.length, { what: 'the table' });
    const shown = new Map((await rowsOf(page, 'By type')).map((row) => [row['Type'], row]));
    for (const type of TYPES) {
      const { answered, errors } = known.types[type]!;
      const [count, failed] = [answered + total(errors), total(errors)];
      expect([type, toldOf(type).count, toldOf(type).errors]).toEqual([type, BigInt(count), BigInt(failed)]);
      const [row] = [shown.get(type)!];
      expect([type, toCount(row['Count']!), toCount(row['Errors']!)]).toEqual([type, count, failed]);
      expect([type, sample('tandem_requests_total', { method: type, code: 'OK' })]).toEqual([type, answered]);
    }
    const inputs = INPUTS.map((type) => Number(toldOf(type).count)).reduce((sum, count) => sum + count);
    expect((await tilesOf(page))['Inputs/s']!.note).toMatch(`${inputs.toLocaleString('en')} since `);
  });

  it('are counted by the reason of their failure', async () => {
    await goTo(page, 'Overview');
    const rows = await rowsOf(page, 'Errors by reason');
    for (const [type, { errors }] of Object.entries(known.types)) {
      const ofType = rows.filter((row) => row['Type'] === type);
      expect(Object.fromEntries(ofType.map((row) => [row['Reason'], toCount(row['Count']!)]))).toEqual(errors);
      const { errorsByReason } = toldOf(type);
      expect(Object.fromEntries(Object.entries(errorsByReason).map(([k, n]) => [k, Number(n)]))).toEqual(errors);
      for (const [name, count] of Object.entries(errors)) {
        const reason = name.split('/')[1]!;
        expect([name, sample('tandem_request_errors_total', { method: type, reason })]).toEqual([name, count]);
      }
    }
  });

  it.each(INPUTS)('of type %s have the percentiles that their callers measured', async (type) => {
    await goTo(page, 'Overview');
    const row = (await rowsOf(page, 'By type')).find((each) => each['Type'] === type)!;
    const { latency } = toldOf(type);
    const exact = known.types[type]!.durationsMs.toSorted((a, b) => a - b);
    for (const [quantile, toldMs, shown] of [
      [0.5, latency!.p50Ms, row['p50']!],
      [0.95, latency!.p95Ms, row['p95']!],
      [0.99, latency!.p99Ms, row['p99']!],
    ] as const) {
      const exactMs = exact[Math.ceil(quantile * exact.length) - 1]!;
      const labels = { method: type, quantile: String(quantile) };
      const exposedMs = sample('tandem_request_duration_quantiles_seconds', labels) * 1e3;
      expect(exposedMs).toBeCloseTo(toldMs, 9);
      expect(Math.abs(toMs(shown) / toldMs - 1)).toBeLessThan(0.0051); // three figures
      expect(toldMs).toBeGreaterThan(exactMs * 0.98);
      expect(toldMs).toBeLessThan(exactMs * 1.02 + LAG_MS);
    }
  });

  it('are counted by strategy, cache and verdict', async () => {
    await goTo(page, 'Overview');
    const strategies = metrics.strategies.map(({ strategy, requests }) => {
      return [strategyToJSON(strategy).replace('STRATEGY_', ''), Number(requests)] as const;
    });
    expect(some(Object.fromEntries(strategies))).toEqual(known.strategies);
    expect(byLabel('tandem_strategy_requests_total', 'strategy')).toEqual(known.strategies);
    expect(await barsOf(page, 'Strategies')).toEqual(asTitles(known.strategies));

    const { hits, misses, coalesced, stale, bypassed } = metrics.cache!;
    const cache = { HIT: hits, MISS: misses, COALESCED: coalesced, STALE: stale, BYPASSED: bypassed };
    expect(some(Object.fromEntries(Object.entries(cache).map(([k, n]) => [k, Number(n)])))).toEqual(known.cache);
    expect(byLabel('tandem_cache_requests_total', 'status')).toEqual(known.cache);
    expect(some(await barsOf(page, 'Cache'))).toEqual(asTitles(known.cache));

    const { unanimous, majority, disputed, tooFew, plurality, degraded } = metrics.votes!;
    expect([unanimous, majority].map(Number)).toEqual([known.votes['UNANIMOUS'], known.votes['MAJORITY']]);
    expect([disputed, tooFew, plurality, degraded].map(Number)).toEqual([0, 0, 0, 0]);
    expect(byLabel('tandem_votes_total', 'verdict')).toEqual(known.votes);
    expect(await barsOf(page, 'Votes')).toEqual(asTitles(known.votes));
  });

  it('are counted by engine', async () => {
    await goTo(page, 'Engines');
    for (const id of IDS) {
      const engine = metrics.engines.find(({ engineId }) => engineId === id)!;
      const [succeeded, failed, others, dissents] = [engine.succeeded, engine.failed, engine.others, engine.dissents];
      expect([id, Number(succeeded)]).toEqual([id, known.engines[id]]);
      const outcomes = ['answered', 'failed', 'other'];
      const exposed = outcomes.map((outcome) => sample('tandem_engine_attempts_total', { engine: id, outcome }));
      expect(exposed).toEqual([succeeded, failed, others].map(Number));
      const shown = await tilesOf(page, id);
      expect(toCount(shown['Answers']!.value)).toBe(Number(succeeded));
      expect(shown['Answers']!.note).toBe(`${failed} failed, ${others} others`);
      expect(Number(dissents)).toBe(id === 'liar' ? known.votes['MAJORITY'] : 0);
      expect(sample('tandem_engine_dissents_total', { engine: id })).toBe(Number(dissents));
      expect(toCount(shown['Dissents']!.value)).toBe(Number(dissents));
    }
  });

  it('have the cost that their callers got', async () => {
    await goTo(page, 'Models');
    await page.getByRole('heading', { name: 'supersense/1' }).waitFor();
    const shown = await factsOf(page, 'supersense/1');
    const labels = { model: 'supersense', version: '1' };
    const [model] = metrics.models;
    const { requests, inferences } = known.work;
    expect([Number(model!.requests), Number(model!.inferences)]).toEqual([requests, inferences]);
    expect(sample('tandem_model_requests_total', labels)).toBe(requests);
    expect(sample('tandem_model_inferences_total', labels)).toBe(inferences);
    expect(shown['Answered']).toBe(`${requests.toLocaleString('en')} inputs, also from the cache`);
    expect(shown['Computed']).toMatch(`${inferences.toLocaleString('en')} times, in `);
    expect(Number(model!.synapticOperations)).toBe(known.work.synapticOperations);
    expect(sample('tandem_model_synaptic_operations_total', labels)).toBe(known.work.synapticOperations);
    const [, energy, unit] = /^([\d.]+) (µJ|mJ|J)/.exec(shown['Energy, estimated']!)!;
    const energyJ = Number(energy) * { µJ: 1e-6, mJ: 1e-3, J: 1 }[unit!]!;
    expect(Math.abs(energyJ / known.work.energyJ - 1)).toBeLessThan(0.005); // three figures
  });

  it('used connections that are counted', async () => {
    await goTo(page, 'Overview');
    const { clients, clientsTotal, sidecars, sidecarsConnected } = metrics.connections!;
    expect(sample('tandem_client_connections')).toBe(clients);
    expect(sample('tandem_client_connections_opened_total')).toBe(Number(clientsTotal));
    expect([sidecarsConnected, sidecars]).toEqual([IDS.length, IDS.length]);
    const shown = await factsOf(page, 'Connections');
    expect(shown['Clients']).toBe(`${clients} connected, ${clientsTotal} in all`);
    expect(shown['Sidecars']).toBe(`${sidecarsConnected} of ${sidecars} connected`);
    expect(shown['Waiting']).toBe(`${metrics.waiting} for a free engine`);
  });
});
