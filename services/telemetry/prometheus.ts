// The metrics that Prometheus scrapes: our own counts and prom-client's metrics of the process, in the text format or,
// on request, in OpenMetrics, which has exemplars. Our counts become samples at a scrape, and prom-client formats them.
// Nothing of it is on a request's path.
import type * as PromClient from 'prom-client';
import type { Metric, Registry } from 'prom-client';
import { toFamilies } from './families.ts';
import type { Family as TandemFamily, HistogramSample } from './family.ts';
import { BOUNDS_S, type LatencySummary } from './latency.ts';
import type { Reading } from './meter.ts';

interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
/** Loaded at the first scrape: it takes some megabytes. */
const loadClient = (): Promise<typeof PromClient> => import('prom-client');

export class Prometheus {
  readonly #read: () => Reading;

  constructor(read: () => Reading) {
    this.#read = read;
  }

  /** `accept`: the request's header; empty: the text format. */
  async exposition(accept: string): Promise<Exposition> {
    const contentType = negotiate(accept);
    const { Registry } = await loadClient();
    // One for each scrape, because prom-client renames counters in the registry that it writes as OpenMetrics.
    const registry = new Registry<typeof TEXT | typeof OPEN_METRICS>();
    registry.setContentType(contentType);
    const ours = toFamilies(this.#read()).map(toWritable);
    const ofProcess = ((await (await ofThisProcess()).getMetricsAsJSON()) as unknown as Named[]).filter(isWellNamed);
    for (const family of [...ours, ...ofProcess]) registry.registerMetric(new Writable(family) as unknown as Metric);
    return { contentType, body: await registry.metrics() };
  }
}

let processMetrics: Registry | undefined;

/** Created at the first scrape: they measure the event loop and the garbage collector, which has a cost. */
async function ofThisProcess(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await loadClient();
  if (processMetrics === undefined) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
  }
  return processMetrics;
}

interface Named {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly object[];
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly exemplar?: { readonly labelSet: object; readonly value: number; readonly timestamp: number };
}

/** The part of a metric that a registry uses. */
class Writable {
  name = '';
  constructor(family: Named) {
    Object.assign(this, family);
  }
  get(): Promise<this> {
    return Promise.resolve(this);
  }
}

function toWritable(family: TandemFamily): Named {
  const { name, help, type } = family;
  if (type === 'histogram') return { name, help, type, values: family.samples.flatMap((each) => buckets(name, each)) };
  if (type === 'summary') {
    const values = family.samples.flatMap(({ labels, latency }) => quantiles(name, labels, latency));
    return { name, help, type, values };
  }
  return { name, help, type, values: family.samples };
}

function buckets(name: string, { labels, histogram, exemplars }: HistogramSample): Value[] {
  let below = 0;
  const values: Value[] = histogram.buckets.map((count, index) => {
    below += count;
    const le = BOUNDS_S[index] ?? '+Inf';
    const exemplar = exemplars[index];
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value: below,
      ...(exemplar && {
        exemplar: {
          labelSet: { trace_id: exemplar.traceId },
          value: exemplar.durationMs / 1e3,
          timestamp: exemplar.timeMs / 1e3,
        },
      }),
    };
  });
  return [
    ...values,
    { metricName: `${name}_sum`, labels, value: histogram.sumS },
    { metricName: `${name}_count`, labels, value: histogram.count },
  ];
}

function quantiles(name: string, labels: Value['labels'], latency: LatencySummary): Value[] {
  const { count, avgMs, p50Ms, p95Ms, p99Ms } = latency;
  const of = (quantile: number, ms: number): Value => ({
    labels: { ...labels, quantile },
    value: count === 0 ? NaN : ms / 1e3,
  });
  return [
    ...[of(0.5, p50Ms), of(0.95, p95Ms), of(0.99, p99Ms)],
    { metricName: `${name}_sum`, labels, value: (avgMs * count) / 1e3 },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

/** Some gauges of prom-client end in `_total`, which promtool rejects. They are only sums of other gauges. */
function isWellNamed({ type, name }: Named): boolean {
  return type !== 'gauge' || !name.endsWith('_total');
}

/** The text format, unless the header prefers OpenMetrics or accepts it equally. */
function negotiate(accept: string): typeof TEXT | typeof OPEN_METRICS {
  let [openMetrics, text] = [0, 0];
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((each) => each.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2)) || 0;
    const version = parameters.find((each) => each.startsWith('version='))?.slice('version='.length);
    if (type === 'application/openmetrics-text' && (version ?? '1.0.0') === '1.0.0') {
      openMetrics = Math.max(openMetrics, weight);
    } else if (type === 'text/plain') text = Math.max(text, weight);
  }
  return openMetrics > 0 && openMetrics >= text ? OPEN_METRICS : TEXT;
}
