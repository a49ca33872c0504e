// MetricsService over real gRPC, of a router whose engines, cache and connections a test controls.
import * as grpc from '@grpc/grpc-js';
import { type MetricsOptions, metricsMethods } from '../../services/api/metrics.ts';
import { OpenCalls } from '../../services/api/open-calls.ts';
import type { RouterError } from '../../services/core/errors.ts';
import { type Metrics as MetricsMessage, MetricsServiceClient } from '../../services/generated/tandem/v1/metrics.ts';
import { Meter, type MeterSources } from '../../services/telemetry/meter.ts';
import { Metrics } from '../../services/telemetry/metrics.ts';
import { noSessions } from '../support/metered.ts';
import { type Served, serve } from '../support/serve.ts';

const POOL: ReturnType<MeterSources['engines']> = [
  {
    id: 'local',
    kind: 'local',
    state: 'READY',
    breaker: { state: 'CLOSED' },
    inFlight: 2,
    modelProblems: [],
    unavailableReason: '',
    engine: { description: {} },
  },
  {
    id: 'engine-1',
    kind: 'sidecar',
    state: 'DRAINING',
    breaker: { state: 'HALF_OPEN' },
    inFlight: 0,
    modelProblems: [],
    unavailableReason: '',
    engine: { description: {} },
  },
  {
    id: 'engine-2',
    kind: 'sidecar',
    state: 'DOWN',
    breaker: { state: 'OPEN' },
    inFlight: 0,
    modelProblems: [],
    unavailableReason: '',
    engine: { description: undefined },
  },
];

/** A clock that the test sets. */
export class Ticker {
  readonly intervalsMs: number[] = [];
  readonly #ticks = new Set<() => void>();

  every(intervalMs: number, tick: () => void): () => void {
    this.intervalsMs.push(intervalMs);
    this.#ticks.add(tick);
    return () => this.#ticks.delete(tick);
  }

  get running(): number {
    return this.#ticks.size;
  }

  tick(): void {
    for (const tick of this.#ticks) tick();
  }
}

/** Like telemetry's, not a plain object. */
class Connections {
  get open(): number {
    return 2;
  }

  get total(): number {
    return 7;
  }
}
export class MetricsServer {
  readonly metrics = new Metrics(() => 1_000);
  /** How often the engines were read. */
  reads = 0;
  readonly ticker = new Ticker();
  readonly drain = new AbortController();
  readonly internal: RouterError[] = [];
  readonly sources: MeterSources = {
    engines: () => {
      this.reads += 1;
      return POOL;
    },
    inFlight: () => 3,
    waiting: () => 1,
    cache: () => ({ entries: 10, bytes: 2_048, evictions: 4 }),
    connections: () => new Connections(),
    subscribers: () => 5,
    sessions: noSessions,
    connectionFaults: () => new Map(),
    spansDropped: () => 0,
    names: () => [],
    linesDropped: () => 0,
    callers: () => new Map(),
    handshakesFailed: () => 0,
    bugs: () => 0,
  };
  client!: MetricsServiceClient;
  #server!: Served;

  async start(): Promise<this> {
    const options: MetricsOptions = {
      timeoutMs: 10_000,
      onInternalError: (_path, error) => this.internal.push(error),
      observer: this.metrics,
      drained: this.drain.signal,
      calls: new OpenCalls(),
      every: (intervalMs, tick) => this.ticker.every(intervalMs, tick),
    };
    this.#server = await serve(metricsMethods(new Meter(this.metrics, this.sources), options));
    this.client = new MetricsServiceClient(this.#server.address, grpc.credentials.createInsecure());
    return this;
  }

  /** Resolves when no call is open any more. */
  drained(): Promise<void> {
    return this.#server.drain();
  }

  stop(): void {
    this.client.close();
    this.#server.stop();
  }

  get(): Promise<MetricsMessage> {
    return new Promise((resolve, reject) =>
      this.client.getMetrics({}, (error, response) => (error ? reject(error) : resolve(response.metrics!))),
    );
  }

  reset(): Promise<MetricsMessage> {
    return new Promise((resolve, reject) =>
      this.client.resetMetrics({}, (error, response) => (error ? reject(error) : resolve(response.metrics!))),
    );
  }
}
