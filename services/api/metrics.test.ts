import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { ERROR_KINDS, RouterError } from '../core/errors.ts';
import { BadRequest, ErrorInfo } from '../generated/google/rpc/error_details.ts';
import { Status } from '../generated/google/rpc/status.ts';
import { BreakerState, EngineState } from '../generated/tandem/v1/engines.ts';
import {
  type Metrics as MetricsMessage,
  MetricsServiceClient,
  type WatchMetricsResponse,
} from '../generated/tandem/v1/metrics.ts';
import { EngineKind, Strategy } from '../generated/tandem/v1/types.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { until } from '../../test/support/until.ts';
import { Meter, type MeterSources } from '../telemetry/meter.ts';
import { type MetricsOptions, metricsHandlers, metricsService } from './metrics.ts';
import { MAX_WATCHERS } from './metrics-watch.ts';
import { OpenCalls } from './open-calls.ts';

const POOL: ReturnType<MeterSources['engines']> = [
  {
    id: 'local',
    kind: 'local',
    state: 'READY',
    breaker: { state: 'CLOSED' },
    inFlight: 2,
    engine: { description: {} },
  },
  {
    id: 'engine-1',
    kind: 'sidecar',
    state: 'DRAINING',
    breaker: { state: 'HALF_OPEN' },
    inFlight: 0,
    engine: { description: {} },
  },
  {
    id: 'engine-2',
    kind: 'sidecar',
    state: 'DOWN',
    breaker: { state: 'OPEN' },
    inFlight: 0,
    engine: { description: undefined },
  },
];

/** A clock that ticks when told to. */
class Ticker {
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

const WATCH_ENDED = { what: 'the watch to end' };

let metrics: Metrics;
let reads: number;
let ticker: Ticker;
let drain: AbortController;
let internal: RouterError[];
let sources: MeterSources;
let isAdmin: boolean;
let server: grpc.Server;
let client: MetricsServiceClient;

beforeEach(async () => {
  metrics = new Metrics(() => 1_000);
  reads = 0;
  ticker = new Ticker();
  drain = new AbortController();
  internal = [];
  isAdmin = true;
  sources = {
    engines: () => {
      reads += 1;
      return POOL;
    },
    inFlight: () => 3,
    waiting: () => 1,
    cache: () => ({ entries: 10, bytes: 2_048, evictions: 4 }),
    connections: () => new Connections(),
    subscribers: () => 5,
    spansDropped: () => 0,
  };
  const options: MetricsOptions = {
    timeoutMs: 10_000,
    onInternalError: (_path, error) => internal.push(error),
    observer: metrics,
    guard: () => {
      if (!isAdmin) throw new RouterError('ADMIN_FORBIDDEN', 'not from here');
    },
    drained: drain.signal,
    calls: new OpenCalls(),
    every: (intervalMs, tick) => ticker.every(intervalMs, tick),
  };
  server = new grpc.Server();
  server.addService(metricsService, metricsHandlers(new Meter(metrics, sources), options));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  client = new MetricsServiceClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
});

afterEach(() => {
  client.close();
  server.forceShutdown();
});

function get(): Promise<MetricsMessage> {
  return new Promise((resolve, reject) =>
    client.getMetrics({}, (error, response) => (error ? reject(error) : resolve(response.metrics!))),
  );
}

function reset(): Promise<MetricsMessage> {
  return new Promise((resolve, reject) =>
    client.resetMetrics({}, (error, response) => (error ? reject(error) : resolve(response.metrics!))),
  );
}

function watch(
  intervalMs = 0,
  options: Partial<grpc.CallOptions> = {},
): grpc.ClientReadableStream<WatchMetricsResponse> {
  return client.watchMetrics({ intervalMs }, options);
}

async function next(stream: grpc.ClientReadableStream<WatchMetricsResponse>): Promise<MetricsMessage> {
  const [response] = (await once(stream, 'data')) as [WatchMetricsResponse];
  return response.metrics!;
}

async function failure(stream: grpc.ClientReadableStream<WatchMetricsResponse>): Promise<grpc.ServiceError> {
  stream.resume();
  const [error] = (await once(stream, 'error')) as [grpc.ServiceError];
  return error;
}

function reasonOf(error: unknown): { code: string; reason: string; field: string | undefined } {
  const { code, metadata } = error as grpc.ServiceError;
  const [bytes] = metadata.get('grpc-status-details-bin');
  const [info, badRequest] = Status.decode(bytes as Buffer).details;
  return {
    code: grpc.status[code],
    reason: ErrorInfo.decode(info!.value).reason,
    field: badRequest && BadRequest.decode(badRequest.value).fieldViolations[0]?.field,
  };
}

const watchOutcomes = (): unknown => metrics.snapshot().requestTypes.find(({ type }) => type === 'WatchMetrics');

describe('GetMetrics', () => {
  it('answers what was counted, by request type', async () => {
    metrics.requestEnded('Reason', 'OK', 2);
    metrics.requestEnded('Reason', 'INPUT_LENGTH', 1);
    expect(await get()).toMatchObject({
      sinceMs: 1_000n,
      requests: 2n,
      errors: 1n,
      inFlight: 3,
      requestTypes: [
        {
          type: 'Reason',
          count: 2n,
          errors: 1n,
          errorsByReason: { 'INVALID_ARGUMENT/INPUT_LENGTH': 1n },
          latency: { count: 1n, avgMs: 2, minMs: 2, maxMs: 2, p50Ms: 2, p95Ms: 2, p99Ms: 2 },
        },
      ],
    });
  });

  it('shows all strategies in the order of the enum, with shares that sum to 1', async () => {
    for (const strategy of ['FASTEST', 'FASTEST', 'FASTEST', 'ROUND_ROBIN']) metrics.planned(strategy);
    expect((await get()).strategies).toEqual([
      { strategy: Strategy.STRATEGY_ROUND_ROBIN, requests: 1n, share: 0.25 },
      { strategy: Strategy.STRATEGY_LOCAL_FIRST, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_SIDECAR_FIRST, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_FASTEST, requests: 3n, share: 0.75 },
      { strategy: Strategy.STRATEGY_REDUNDANT, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_AFFINITY, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_HEDGED, requests: 0n, share: 0 },
    ]);
  });

  it('shows engines in pool order with their state and what became of their attempts', async () => {
    metrics.attemptEnded('engine-1', 'OK', 4);
    metrics.attemptEnded('local', 'OK', 1);
    metrics.attemptEnded('local', 'OK', 1);
    metrics.attemptEnded('local', 'OK', 1);
    metrics.attemptEnded('engine-1', 'ENGINE_LOST', 1);
    metrics.attemptEnded('engine-1', 'CANCELLED', 1);
    metrics.voted('MAJORITY', ['engine-1']);
    expect((await get()).engines).toMatchObject([
      {
        engineId: 'local',
        kind: EngineKind.ENGINE_KIND_LOCAL,
        state: EngineState.ENGINE_STATE_READY,
        breaker: BreakerState.BREAKER_STATE_CLOSED,
        succeeded: 3n,
        share: 0.75,
        inFlight: 2,
      },
      {
        engineId: 'engine-1',
        kind: EngineKind.ENGINE_KIND_SIDECAR,
        state: EngineState.ENGINE_STATE_DRAINING,
        breaker: BreakerState.BREAKER_STATE_HALF_OPEN,
        succeeded: 1n,
        failed: 1n,
        others: 1n,
        share: 0.25,
        dissents: 1n,
        latency: { count: 1n, p50Ms: 4 },
      },
      {
        engineId: 'engine-2',
        state: EngineState.ENGINE_STATE_DOWN,
        breaker: BreakerState.BREAKER_STATE_OPEN,
        succeeded: 0n,
        share: 0,
        latency: { count: 0n, p50Ms: 0 },
      },
    ]);
  });

  it('leaves out engines that are in the pool no more', async () => {
    metrics.attemptEnded('engine-9', 'OK', 1);
    metrics.attemptEnded('local', 'OK', 1);
    expect((await get()).engines.map(({ engineId, share }) => [engineId, share])).toEqual([
      ['local', 1],
      ['engine-1', 0],
      ['engine-2', 0],
    ]);
  });

  it('shows the cache: what it spared, and what it keeps', async () => {
    for (const status of ['HIT', 'COALESCED', 'STALE', 'MISS', 'BYPASSED'] as const) metrics.cacheUsed(status);
    expect((await get()).cache).toEqual({
      hits: 1n,
      misses: 1n,
      coalesced: 1n,
      stale: 1n,
      bypassed: 1n,
      hitRatio: 0.75,
      entries: 10n,
      bytes: 2_048n,
      evictions: 4n,
    });
  });

  it('shows verdicts, and connections to both sides', async () => {
    metrics.voted('UNANIMOUS', []);
    metrics.voted('TOO_FEW', []);
    const { votes, connections } = await get();
    expect(votes).toMatchObject({ unanimous: 1n, majority: 0n, disputed: 0n, tooFew: 1n });
    expect(connections).toEqual({ clients: 2, clientsTotal: 7n, sidecarsConnected: 1, sidecars: 2 });
  });

  it('answers zeros before the first request', async () => {
    const { requests, requestTypes, strategies, cache } = await get();
    expect([requests, requestTypes, cache?.hitRatio]).toEqual([0n, [], 0]);
    expect(strategies.every(({ share }) => share === 0)).toBe(true);
  });
});

describe('ResetMetrics', () => {
  it('answers what was counted until now, and counts anew', async () => {
    metrics.requestEnded('Reason', 'OK', 2);
    expect((await reset()).requests).toBe(1n);
    expect((await get()).requestTypes.map(({ type }) => type)).toEqual(['ResetMetrics']);
  });

  it('counts evictions and connections anew too, but those that are open', async () => {
    await reset();
    expect(await get()).toMatchObject({ cache: { entries: 10n, evictions: 0n }, connections: { clientsTotal: 2n } });
  });

  it('is refused to whom the guard refuses it, and then counts on', async () => {
    isAdmin = false;
    metrics.requestEnded('Reason', 'OK', 2);
    const error = await reset().catch(reasonOf);
    expect(error).toEqual({ code: 'PERMISSION_DENIED', reason: 'ADMIN_FORBIDDEN', field: undefined });
    expect((await get()).requestTypes.map(({ type }) => type)).toEqual(['Reason', 'ResetMetrics']);
  });
});

describe('WatchMetrics', () => {
  it('sends the first message at once, and one more each interval', async () => {
    const stream = watch();
    expect((await next(stream)).requests).toBe(0n);
    metrics.requestEnded('Reason', 'OK', 2);
    ticker.tick();
    expect((await next(stream)).requests).toBe(1n);
    stream.on('error', () => undefined).cancel();
  });

  it.each([
    [0, 1_000],
    [100, 100],
    [60_000, 60_000],
  ])('takes an interval of %d ms as %d ms', async (asked, taken) => {
    const stream = watch(asked);
    await next(stream);
    expect(ticker.intervalsMs).toEqual([taken]);
    stream.on('error', () => undefined).cancel();
  });

  it.each([1, 99, 60_001])('refuses an interval of %d ms', async (intervalMs) => {
    expect(reasonOf(await failure(watch(intervalMs)))).toEqual({
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_FIELD',
      field: 'interval_ms',
    });
    expect(watchOutcomes()).toMatchObject({ count: 1, errorsByReason: { 'INVALID_ARGUMENT/INVALID_FIELD': 1 } });
  });

  it('makes no messages for a reader that has stopped reading, but what its connection holds', async () => {
    for (let k = 0; k < 50; k += 1) metrics.requestEnded(`a type that fills the message ${k}`, 'OK', 1);
    const stream = watch();
    await next(stream);
    stream.pause();
    const tickALot = async (): Promise<number> => {
      const before = reads;
      for (let k = 0; k < 300; k += 1) {
        ticker.tick();
        await turn();
      }
      return reads - before;
    };
    await tickALot();
    expect(await tickALot()).toBe(0);
    stream.resume();
    await until(async () => (await tickALot()) > 0, { what: 'messages once it reads again' });
    stream.on('error', () => undefined).cancel();
  });

  it('ends when the caller leaves, and counts that as no error', async () => {
    const stream = watch();
    await next(stream);
    stream.cancel();
    expect((await failure(stream)).code).toBe(grpc.status.CANCELLED);
    await until(() => ticker.running === 0, WATCH_ENDED);
    expect(watchOutcomes()).toMatchObject({ count: 1, errors: 0 });
  });

  it('ends when the caller’s deadline passes', async () => {
    const error = await failure(watch(0, { deadline: Date.now() + 100 }));
    expect(error.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await until(() => ticker.running === 0, WATCH_ENDED);
    expect(watchOutcomes()).toMatchObject({ count: 1, errors: 0 });
  });

  it('does not hold up a drain', async () => {
    const stream = watch();
    await next(stream);
    const ended = failure(stream);
    drain.abort();
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    expect(reasonOf(await ended)).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING' });
    expect([ticker.running, watchOutcomes()]).toMatchObject([0, { count: 1, errors: 1 }]);
  });

  it('is refused while the server drains', async () => {
    drain.abort();
    expect(reasonOf(await failure(watch()))).toMatchObject({ code: ERROR_KINDS.DRAINING.code, reason: 'DRAINING' });
  });

  it('is refused to more watchers than there may be', async () => {
    const open = Array.from({ length: MAX_WATCHERS }, () => watch().on('error', () => undefined));
    await until(() => ticker.running === MAX_WATCHERS, { what: 'all watches to begin' });
    expect(reasonOf(await failure(watch()))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'ROUTER_FULL' });
    for (const stream of open) stream.cancel();
    await until(() => ticker.running === 0, WATCH_ENDED);
    const stream = watch();
    await next(stream);
    stream.on('error', () => undefined).cancel();
  });

  it('ends as INTERNAL, and tells the log, where the metrics cannot be read', async () => {
    const stream = watch();
    await next(stream);
    const ended = failure(stream);
    sources.inFlight = () => {
      throw new TypeError('a bug');
    };
    ticker.tick();
    expect(reasonOf(await ended)).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' });
    expect([ticker.running, internal.length]).toEqual([0, 1]);
  });
});
