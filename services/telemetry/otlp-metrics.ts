// Pushes the same families over OTLP, for users of OpenTelemetry. A MetricProducer passes on our counts as they are, so
// OpenTelemetry's instruments are not on a request's path, and histograms keep their buckets. The SDK is loaded only if
// it is enabled.
import { type HrTime, ValueType } from '@opentelemetry/api';
import type * as SdkMetrics from '@opentelemetry/sdk-metrics';
import type { DataPoint, MetricData, MetricProducer, PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { toFamilies } from './families.ts';
import type { Family, Labels } from './family.ts';
import { BOUNDS_S } from './latency.ts';
import type { Reading } from './meter.ts';
import { atMost } from '../core/at-most.ts';
import type { ReachEvents } from './reach.ts';

export interface OtlpMetricsOptions {
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json';
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** The collector's address; unset: OpenTelemetry's variables give it. */
  readonly url?: string;
}

type Sdk = typeof SdkMetrics;

/** Time limit of the last push, at a stop: an unreachable collector must not delay a restart. */
const LAST_PUSH_MS = 1_000;

/** Starts to push. `stop` pushes once more; it never rejects. */
export async function startOtlpMetrics(
  read: () => Reading,
  { protocol, intervalMs, timeoutMs, url }: OtlpMetricsOptions,
  events: ReachEvents,
): Promise<{ stop(): Promise<void> }> {
  const [sdk, resources, { Reach }, exporter] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/resources'),
    import('./reach.ts'),
    createExporter(protocol, url === undefined ? {} : { url }),
  ]);
  const reach = new Reach(events);
  const send = exporter.export.bind(exporter);
  exporter.export = (pushed, done) => {
    send(pushed, (result) => {
      reach.note(result);
      done(result);
    });
  };
  const detectors = [resources.resourceAttributesEnvDetector, resources.serviceNameEnvDetector];
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ 'service.name': 'tandem-router' }))
    .merge(resources.detectResources({ detectors })); // the user's own name takes precedence
  const producer: MetricProducer = {
    collect: () => {
      const reading = read();
      const scopeMetrics = [{ scope: { name: 'tandem' }, metrics: toMetricData(sdk, toFamilies(reading), reading) }];
      return Promise.resolve({ resourceMetrics: { resource, scopeMetrics }, errors: [] });
    },
  };
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: timeoutMs,
    metricProducers: [producer],
  });
  const provider = new sdk.MeterProvider({ resource, readers: [reader] });
  return { stop: () => atMost(LAST_PUSH_MS, provider.shutdown()) };
}

async function createExporter(
  protocol: OtlpMetricsOptions['protocol'],
  config: { url?: string },
): Promise<PushMetricExporter> {
  switch (protocol) {
    case 'grpc':
      return new (await import('@opentelemetry/exporter-metrics-otlp-grpc')).OTLPMetricExporter(config);
    case 'http/json':
      return new (await import('@opentelemetry/exporter-metrics-otlp-http')).OTLPMetricExporter(config);
    case 'http/protobuf':
      return new (await import('@opentelemetry/exporter-metrics-otlp-proto')).OTLPMetricExporter(config);
  }
}

/**
 * Prometheus has the unit in the name. OpenTelemetry has it in a field, and its collector adds it to the name again.
 */
const UNITS: readonly (readonly [suffix: string, unit: string])[] = [
  ['_seconds', 's'],
  ['_bytes', 'By'],
  ['_joules', 'J'],
];

function toMetricData(sdk: Sdk, families: readonly Family[], { counts, timeMs }: Reading): MetricData[] {
  const { AggregationTemporality, DataPointType } = sdk;
  const times = { startTime: toHrTime(Math.min(counts.sinceMs, timeMs)), endTime: toHrTime(timeMs) };
  const point = <T>(labels: Labels, value: T): DataPoint<T> => ({ ...times, attributes: labels, value });
  return families.flatMap((family): MetricData[] => {
    const bare = family.name.replace(/_total$/, '');
    const [suffix = '', unit = ''] = UNITS.find(([each]) => bare.endsWith(each)) ?? [];
    const name = bare.slice(0, bare.length - suffix.length);
    const common = {
      descriptor: { name, description: family.help, unit, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    switch (family.type) {
      case 'counter': {
        const dataPoints = family.samples.map(({ labels, value }) => point(labels, value));
        return [{ ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }];
      }
      case 'gauge': {
        const dataPoints = family.samples.map(({ labels, value }) => point(labels, value));
        return [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints }];
      }
      case 'histogram': {
        const dataPoints = family.samples.map(({ labels, histogram: { buckets, count, sumS } }) =>
          point(labels, { buckets: { boundaries: [...BOUNDS_S], counts: [...buckets] }, count, sum: sumS }),
        );
        return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
      }
      case 'summary':
        return []; // the histogram has it
    }
  });
}

function toHrTime(timeMs: number): HrTime {
  const seconds = Math.floor(timeMs / 1e3);
  return [seconds, Math.round((timeMs - seconds * 1e3) * 1e6)];
}
