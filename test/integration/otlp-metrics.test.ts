// A router that pushes its metrics to a collector, configured by OpenTelemetry's own variables.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { FakeMetricsCollector } from '../fakes/fake-metrics-collector.ts';
import { Inputs } from './router-table/fleet.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const PROTOCOLS = ['http/protobuf', 'grpc'] as const;
const ANSWERED = 7;
const REFUSED = 3;

const inputs = new Inputs();
let environment: NodeJS.ProcessEnv;
let collector: FakeMetricsCollector;
let system: System | undefined;
/** The router's log lines about metrics. */
let said: string[];

beforeEach(() => {
  environment = process.env;
  process.env = { ...environment };
});

afterEach(async () => {
  await system?.stop();
  system = undefined;
  collector.stop();
  process.env = environment;
});

async function start(protocol: (typeof PROTOCOLS)[number], over: Record<string, string> = {}): Promise<void> {
  collector = await new FakeMetricsCollector(protocol).start();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
    OTEL_METRIC_EXPORT_INTERVAL: '100',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '1000',
    ...over,
  });
  said = [];
  const log = pino({}, { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) });
  system = await startSystem({ spawn: { count: 0 }, local: { enabled: true, workers: 1 } }, log);
}

async function ask(): Promise<void> {
  for (let k = 0; k < ANSWERED; k += 1) await system!.reason(inputs.request());
  for (let k = 0; k < REFUSED; k += 1) await system!.reason({ encoding: [1] }).catch(() => undefined);
}

const aboutMetrics = (): string[] => said.filter((line) => line.startsWith('metrics'));
const answeredAtCollector = (): number | undefined =>
  collector.point('tandem_requests', { method: 'Reason', code: 'OK' })?.asDouble;

describe.each(PROTOCOLS)('metrics pushed over %s', (protocol) => {
  beforeEach(() => start(protocol));

  it('are the router’s counts', async () => {
    await ask();
    await until(
      () => collector.point('tandem_requests', { method: 'Reason', code: 'INVALID_ARGUMENT' })?.asDouble === REFUSED,
      { what: 'the latest push' },
    );
    expect(collector.serviceName).toBe('tandem-router');
    expect(answeredAtCollector()).toBe(ANSWERED);
    const reason = { method: 'Reason', reason: 'INPUT_LENGTH' };
    expect(collector.point('tandem_request_errors', reason)?.asDouble).toBe(REFUSED);
    const duration = collector.point('tandem_request_duration', { method: 'Reason' })!;
    expect(duration.count).toBe(ANSWERED);
    expect(duration.bucketCounts!.reduce((sum, count) => sum + count)).toBe(ANSWERED);
    expect(collector.point('tandem_model_requests', { model: 'supersense' })?.asDouble).toBe(ANSWERED);
    expect(collector.point('tandem_cache_requests', { status: 'miss' })?.asDouble).toBe(ANSWERED);
  });

  it('are pushed once more when the router stops', async () => {
    await until(() => collector.serviceName !== '', { what: 'the first push' });
    await ask();
    await system!.stop();
    system = undefined;
    expect(answeredAtCollector()).toBe(ANSWERED);
  });

  it('cannot reach a stopped collector: the router logs that once, logs its return, and answers all the time', async () => {
    collector.stop();
    await until(() => aboutMetrics().length > 0, { what: 'the router to notice', timeoutMs: 10_000 });
    await ask();
    await new Promise((resolve) => setTimeout(resolve, 4_000)); // time for more pushes
    expect(aboutMetrics()).toEqual(['metrics do not reach the collector']);
    await collector.start();
    await until(() => answeredAtCollector() === ANSWERED, { what: 'the counts', timeoutMs: 10_000 });
    await until(() => aboutMetrics().length > 1, { what: 'the router to notice', timeoutMs: 10_000 });
    expect(aboutMetrics()).toEqual(['metrics do not reach the collector', 'metrics reach the collector again']);
  });
});

describe.each(PROTOCOLS)('an unreachable collector, over %s', (protocol) => {
  it('does not delay a stop, even with a long push', async () => {
    const patient = { OTEL_METRIC_EXPORT_INTERVAL: '60000', OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '30000' };
    await start(protocol, patient);
    collector.stop();
    const beganMs = performance.now();
    await system!.stop();
    system = undefined;
    expect(performance.now() - beganMs).toBeLessThan(4_000);
  });
});
