// Our metrics in real tools: promtool, and a Prometheus that scrapes a router under load. From the Debian package
// `prometheus`; run by `npm run test:telemetry`.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Metrics, MetricsServiceClient } from '../../services/generated/tandem/v1/metrics.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import type { Metrics as Counting } from '../../services/telemetry/metrics.ts';
import { Prometheus } from '../../services/telemetry/prometheus.ts';
import { parseExposition, valueOf } from '../support/exposition.ts';
import { freePorts } from '../support/free-ports.ts';
import { readHeldout } from '../support/heldout.ts';
import { metered } from '../support/metered.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const RULES = join(import.meta.dirname, '../../deploy/prometheus');
const SLOW_MS = 60_000;

const run = promisify(execFile);

/** If promtool reports errors, rejects with them. */
async function promtool(args: string[], stdin = ''): Promise<string> {
  const running = run('promtool', args, { cwd: RULES });
  running.child.stdin?.end(stdin);
  const { stdout, stderr } = await running;
  return stdout + stderr;
}

let system: System;
let url: string;

beforeAll(async () => {
  system = await startSystem({ tracing: { ratio: 1 } });
  url = system.httpAddress;
  await ask(20);
}, SLOW_MS);

afterAll(async () => {
  await system.stop();
});

const [item] = readHeldout();
const tensor = { shape: [768], dtype: 'FP32', data: item!.data };

/** Votes, plain requests and wrong ones. */
async function ask(count: number): Promise<void> {
  for (let k = 0; k < count; k += 1) {
    const strategy = k % 4 === 0 ? Strategy.STRATEGY_REDUNDANT : Strategy.STRATEGY_UNSPECIFIED;
    const cache = k % 2 === 0 ? CacheMode.CACHE_MODE_BYPASS : CacheMode.CACHE_MODE_USE;
    await system.reason({ tensor, strategy, cache });
    await system.reason({ encoding: [1] }).catch(() => undefined);
  }
}

async function scrape(accept = ''): Promise<string> {
  return await (await fetch(`http://${url}/metrics`, { headers: { accept } })).text();
}

function getMetrics(): Promise<Metrics> {
  const client = new MetricsServiceClient(system.address, grpc.credentials.createInsecure());
  return new Promise<Metrics>((resolve, reject) =>
    client.getMetrics({}, (error, { metrics }) => (error ? reject(error) : resolve(metrics!))),
  ).finally(() => client.close());
}

describe('promtool', () => {
  it('accepts the exposition of a router', async () => {
    expect(await promtool(['check', 'metrics'], await scrape())).toBe('');
  });

  it('accepts an exposition with every kind of count', async () => {
    const { metrics, meter } = metered();
    fill(metrics);
    const { body } = await new Prometheus(() => meter.read()).exposition('');
    expect(await promtool(['check', 'metrics'], body)).toBe('');
  });

  it('accepts the rules, and their tests pass', async () => {
    await promtool(['check', 'rules', '--lint=all', '--lint-fatal', 'tandem.rules.yml']);
    await promtool(['check', 'config', 'prometheus.yml']);
    await promtool(['test', 'rules', 'tandem.rules.test.yml']);
  });
});

function fill(metrics: Counting): void {
  for (const method of ['Reason', 'with "quotes", \\ and\nlines']) {
    metrics.requestEnded(method, 'OK', 1);
    metrics.requestEnded(method, 'VOTE_DISPUTED', 1);
    metrics.exemplar(1, 'a'.repeat(32), method);
  }
  metrics.planned('FASTEST');
  metrics.voted('PLURALITY', ['engine-1']);
  metrics.computed('m', 1, { computeUs: 0.5, batchItems: 3, synapticOperations: 12n, totalSpikes: 3n });
}

describe('a router', () => {
  it('gives Prometheus and GetMetrics the same, including cost', async () => {
    const metrics = await getMetrics();
    const series = parseExposition(await scrape());
    const reason = metrics.requestTypes.find(({ type }) => type === 'Reason')!;
    expect(Number(reason.count)).toBe(40);
    expect(valueOf(series, 'tandem_requests_total', { method: 'Reason', code: 'OK' })).toBe(20);
    expect(valueOf(series, 'tandem_requests_total', { method: 'Reason', code: 'INVALID_ARGUMENT' })).toBe(20);
    const [model] = metrics.models;
    const labels = { model: 'supersense', version: '1' };
    expect(valueOf(series, 'tandem_model_requests_total', labels)).toBe(20);
    expect(Number(model!.inferences)).toBeGreaterThan(20); // votes compute more than once
    expect(valueOf(series, 'tandem_model_inferences_total', labels)).toBe(Number(model!.inferences));
    expect(valueOf(series, 'tandem_model_energy_joules_total', labels)).toBe(model!.energyJ);
    expect(model!.energyJ).toBeCloseTo(Number(model!.synapticOperations) * 0.9e-12, 18);
    expect(model!.computeS).toBeGreaterThan(0);
  });

  it('counts the cost of a request: of each engine in a vote, and nothing for a cache hit', async () => {
    const single = await system.reason({ tensor, cache: CacheMode.CACHE_MODE_BYPASS });
    expect(single.cost).toMatchObject({
      inferences: 1,
      synapticOperations: single.synapticOperations,
      spikes: single.totalSpikes,
    });
    expect(single.cost!.energyJ).toBeCloseTo(Number(single.synapticOperations) * 0.9e-12, 18);
    const strategy = Strategy.STRATEGY_REDUNDANT;
    const voted = await system.reason({ tensor, strategy, cache: CacheMode.CACHE_MODE_BYPASS });
    const answered = voted.attempts.filter(({ outcome }) => outcome === 'OK').length;
    expect(voted.cost).toMatchObject({
      inferences: answered,
      synapticOperations: BigInt(answered) * voted.synapticOperations,
    });
    await system.reason({ tensor });
    expect((await system.reason({ tensor })).cost).toMatchObject({ inferences: 0, computeUs: 0, energyJ: 0 });
  });
});

describe('a real Prometheus', () => {
  let folder: string;
  let prometheus: ChildProcess;
  let api: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-prometheus-'));
    const config = `
global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: ['${join(RULES, 'tandem.rules.yml')}']
scrape_configs: [{job_name: tandem-router, static_configs: [{targets: ['${url}']}]}]
`;
    writeFileSync(join(folder, 'prometheus.yml'), config);
    const [port] = await freePorts(1);
    api = `http://127.0.0.1:${port!}/api/v1`;
    prometheus = spawn('prometheus', [
      ...['--config.file', join(folder, 'prometheus.yml'), '--storage.tsdb.path', join(folder, 'data')],
      ...['--web.listen-address', `127.0.0.1:${port!}`, '--enable-feature=exemplar-storage'],
    ]);
    await until(async () => (await fetch(`${api}/status/buildinfo`)).ok, { what: 'Prometheus', timeoutMs: 30_000 });
  }, SLOW_MS);

  afterAll(async () => {
    const ended = once(prometheus, 'exit');
    prometheus.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  async function query(expression: string): Promise<number | undefined> {
    const response = await fetch(`${api}/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    const [first] = data.result;
    return first && Number(first.value[1]);
  }

  it(
    'scrapes it, and counts as the router does',
    async () => {
      await ask(5);
      const { count, latency } = (await getMetrics()).requestTypes.find(({ type }) => type === 'Reason')!;
      await until(async () => (await query('sum(tandem_requests_total{method="Reason"})')) === Number(count), {
        what: 'a scrape',
        timeoutMs: 30_000,
      });
      expect(await query('up{job="tandem-router"}')).toBe(1);
      expect(await query('tandem_request_duration_seconds_count{method="Reason"}')).toBe(Number(latency!.count));
      expect(await query('sum(tandem_engines{state="ready"})')).toBe(3);
      expect(await query('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    },
    SLOW_MS,
  );

  it(
    'keeps exemplars: requests of such a latency, whose traces the router knows',
    async () => {
      interface Exemplars {
        data: { exemplars: { labels: { trace_id: string }; value: string }[] }[];
      }
      const nowS = Date.now() / 1e3;
      const range = `start=${nowS - 3_600}&end=${nowS + 3_600}`;
      const buckets = 'tandem_request_duration_seconds_bucket{method="Reason"}';
      const exemplars = await until(
        async () => {
          const response = await fetch(`${api}/query_exemplars?query=${encodeURIComponent(buckets)}&${range}`);
          const { data } = (await response.json()) as Exemplars;
          const all = data.flatMap((each) => each.exemplars);
          return all.length > 0 ? all : undefined;
        },
        { what: 'exemplars', timeoutMs: 30_000 },
      );
      for (const { labels, value } of exemplars!) {
        const response = await fetch(`http://${url}/api/traces/${labels.trace_id}`);
        const { spans } = (await response.json()) as { spans: { name: string; durationMs: number }[] };
        const root = spans.find(({ name }) => name === 'tandem.v1.ReasoningService/Reason');
        expect(root?.durationMs).toBeCloseTo(Number(value) * 1e3, 3);
      }
    },
    SLOW_MS,
  );

  it(
    'evaluates every rule without an error',
    async () => {
      interface Rules {
        data: { groups: { rules: { name: string; health: string }[] }[] };
      }
      const rules = await until(
        async () => {
          const { data } = (await (await fetch(`${api}/rules`)).json()) as Rules;
          const all = data.groups.flatMap((group) => group.rules);
          return all.length > 0 && all.every(({ health }) => health !== 'unknown') ? all : undefined;
        },
        { what: 'the rules to be evaluated', timeoutMs: 30_000 },
      );
      expect(rules?.filter(({ health }) => health !== 'ok')).toEqual([]);
    },
    SLOW_MS,
  );
});
