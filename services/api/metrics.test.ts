import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { MetricsServer } from '../../test/fakes/fake-metrics-server.ts';
import { BreakerState, EngineState } from '../generated/tandem/v1/engines.ts';
import { EngineKind, Strategy } from '../generated/tandem/v1/types.ts';
import { MetricsServiceService } from '../generated/tandem/v1/metrics.ts';
import { Meter } from '../telemetry/meter.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { metricsMethods } from './metrics.ts';

let service: MetricsServer;
let metrics: Metrics;

beforeEach(async () => {
  service = await new MetricsServer().start();
  ({ metrics } = service);
});

afterEach(() => service.stop());

describe('GetMetrics', () => {
  it('returns the counts by request type', async () => {
    metrics.requestEnded('Reason', 'OK', 2);
    metrics.requestEnded('Reason', 'INPUT_LENGTH', 1);
    expect(await service.get()).toMatchObject({
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

  it('lists all strategies in the order of the enum, with shares that sum to 1', async () => {
    for (const strategy of ['FASTEST', 'FASTEST', 'FASTEST', 'ROUND_ROBIN']) metrics.planned(strategy);
    expect((await service.get()).strategies).toEqual([
      { strategy: Strategy.STRATEGY_ROUND_ROBIN, requests: 1n, share: 0.25 },
      { strategy: Strategy.STRATEGY_LOCAL_FIRST, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_SIDECAR_FIRST, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_FASTEST, requests: 3n, share: 0.75 },
      { strategy: Strategy.STRATEGY_REDUNDANT, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_AFFINITY, requests: 0n, share: 0 },
      { strategy: Strategy.STRATEGY_HEDGED, requests: 0n, share: 0 },
    ]);
  });

  it('lists engines in pool order with their state and attempts', async () => {
    metrics.attemptEnded('engine-1', 'OK', 4);
    metrics.attemptEnded('local', 'OK', 1);
    metrics.attemptEnded('local', 'OK', 1);
    metrics.attemptEnded('local', 'OK', 1);
    metrics.attemptEnded('engine-1', 'ENGINE_LOST', 1);
    metrics.attemptEnded('engine-1', 'CANCELLED', 1);
    metrics.voted('MAJORITY', ['engine-1']);
    expect((await service.get()).engines).toMatchObject([
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

  it('leaves out engines that are no longer in the pool', async () => {
    metrics.attemptEnded('engine-9', 'OK', 1);
    metrics.attemptEnded('local', 'OK', 1);
    expect((await service.get()).engines.map(({ engineId, share }) => [engineId, share])).toEqual([
      ['local', 1],
      ['engine-1', 0],
      ['engine-2', 0],
    ]);
  });

  it('returns the requests, hit ratio and size of the cache', async () => {
    for (const status of ['HIT', 'COALESCED', 'STALE', 'MISS', 'BYPASSED'] as const) metrics.cacheUsed(status);
    expect((await service.get()).cache).toEqual({
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

  it('returns verdicts, and connections to clients and sidecars', async () => {
    metrics.voted('UNANIMOUS', []);
    metrics.voted('TOO_FEW', []);
    const { votes, connections } = await service.get();
    expect(votes).toMatchObject({ unanimous: 1n, majority: 0n, disputed: 0n, tooFew: 1n });
    expect(connections).toEqual({ clients: 2, clientsTotal: 7n, sidecarsConnected: 1, sidecars: 2 });
  });

  it('returns zeros before the first request', async () => {
    const { requests, requestTypes, strategies, cache } = await service.get();
    expect([requests, requestTypes, cache?.hitRatio]).toEqual([0n, [], 0]);
    expect(strategies.every(({ share }) => share === 0)).toBe(true);
  });
});

describe('ResetMetrics', () => {
  it('returns the previous counts and starts new ones', async () => {
    metrics.requestEnded('Reason', 'OK', 2);
    expect((await service.reset()).requests).toBe(1n);
    expect((await service.get()).requestTypes.map(({ type }) => type)).toEqual(['ResetMetrics']);
  });

  it('resets evictions and connections, except open connections', async () => {
    await service.reset();
    expect(await service.get()).toMatchObject({
      cache: { entries: 10n, evictions: 0n },
      connections: { clientsTotal: 2n },
    });
  });
});

it.each(['getMetrics', 'resetMetrics'] as const)(
  '%s says how long it took, and how long the router runs',
  async (name) => {
    const options = { ...unaryOptions(), drained: new AbortController().signal };
    const methods = metricsMethods(new Meter(metrics, service.sources), options);
    const response = await callMethod(methods, MetricsServiceService[name], {});
    expect(response.metrics!.uptimeS).toBeLessThanOrEqual(process.uptime());
    expect(response.metrics!.uptimeS).toBeGreaterThan(0);
  },
);
