import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../core/observer.ts';
import { Metrics, OTHER } from './metrics.ts';

describe('metrics', () => {
  it('count requests by type, in the order of their names', () => {
    const metrics = new Metrics();
    metrics.requestEnded('Reason', 'OK', 2);
    metrics.requestEnded('Ping', 'OK', 0.1);
    metrics.requestEnded('Reason', 'OK', 4);
    expect(metrics.snapshot()).toMatchObject({
      requests: 3,
      errors: 0,
      requestTypes: [
        { type: 'Ping', count: 1 },
        { type: 'Reason', count: 2, latency: { count: 2, avgMs: 3, minMs: 2, maxMs: 4 } },
      ],
    });
  });

  it('count errors by gRPC code and reason, and leave them out of the latencies', () => {
    const metrics = new Metrics();
    const outcomes: Outcome[] = ['OK', 'INPUT_LENGTH', 'ENGINE_LOST', 'INPUT_LENGTH'];
    for (const outcome of outcomes) metrics.requestEnded('Reason', outcome, 1);
    expect(metrics.snapshot()).toMatchObject({
      requests: 4,
      errors: 3,
      requestTypes: [
        {
          count: 4,
          errors: 3,
          errorsByReason: { 'INVALID_ARGUMENT/INPUT_LENGTH': 2, 'UNAVAILABLE/ENGINE_LOST': 1 },
          latency: { count: 1 },
        },
      ],
    });
  });

  it('count requests by the strategy that planned them', () => {
    const metrics = new Metrics();
    for (const strategy of ['FASTEST', 'ROUND_ROBIN', 'FASTEST']) metrics.planned(strategy);
    expect(Object.fromEntries(metrics.snapshot().strategies)).toEqual({ FASTEST: 2, ROUND_ROBIN: 1 });
  });

  it('distinguish attempts that failed by the engine’s fault from other failures', () => {
    const metrics = new Metrics();
    const outcomes: Outcome[] = ['OK', 'OK', 'ENGINE_FAULT', 'CANCELLED', 'ENGINE_FULL', 'NON_FINITE'];
    for (const outcome of outcomes) metrics.attemptEnded('engine-1', outcome, 3);
    expect(metrics.snapshot().engines.get('engine-1')).toMatchObject({
      succeeded: 2,
      failed: 1,
      others: 3,
      latency: { count: 2, avgMs: 3 },
    });
  });

  it('count the results of the cache', () => {
    const metrics = new Metrics();
    for (const status of ['HIT', 'MISS', 'HIT', 'COALESCED', 'STALE', 'BYPASSED'] as const) metrics.cacheUsed(status);
    expect(metrics.snapshot().cache).toEqual({ HIT: 2, MISS: 1, COALESCED: 1, STALE: 1, BYPASSED: 1 });
  });

  it('count verdicts, and the engines that dissented', () => {
    const metrics = new Metrics();
    metrics.voted('UNANIMOUS', []);
    metrics.voted('MAJORITY', ['engine-2']);
    metrics.voted('DISPUTED', ['engine-1', 'engine-2']);
    const { votes, engines } = metrics.snapshot();
    expect(votes).toMatchObject({ UNANIMOUS: 1, MAJORITY: 1, DISPUTED: 1, TOO_FEW: 0 });
    expect([engines.get('engine-1')?.dissents, engines.get('engine-2')?.dissents]).toEqual([1, 2]);
  });

  it('start at 0 after a reset, and give its time', () => {
    let nowMs = 1_000;
    const metrics = new Metrics(() => nowMs);
    const atStart = metrics.snapshot();
    metrics.requestEnded('Reason', 'OK', 1);
    metrics.attemptEnded('engine-1', 'OK', 1);
    metrics.planned('FASTEST');
    metrics.cacheUsed('MISS');
    metrics.voted('MAJORITY', ['engine-1']);
    nowMs = 5_000;
    metrics.reset();
    expect(metrics.snapshot()).toEqual({ ...atStart, sinceMs: 5_000 });
  });

  it('do not change a snapshot that was taken', () => {
    const metrics = new Metrics();
    metrics.cacheUsed('HIT');
    const snapshot = metrics.snapshot();
    metrics.cacheUsed('HIT');
    metrics.planned('FASTEST');
    expect([snapshot.cache.HIT, snapshot.strategies.size]).toEqual([1, 0]);
  });

  it('forget an engine', () => {
    const metrics = new Metrics();
    metrics.attemptEnded('engine-1', 'OK', 1);
    metrics.forgetEngine('engine-1');
    expect(metrics.snapshot().engines.size).toBe(0);
  });

  it('count from 0 for an engine that returns', () => {
    const metrics = new Metrics();
    metrics.attemptEnded('engine-1', 'ENGINE_LOST', 1);
    metrics.forgetEngine('engine-1');
    metrics.attemptEnded('engine-1', 'OK', 1);
    expect(metrics.snapshot().engines.get('engine-1')).toMatchObject({ succeeded: 1, failed: 0 });
  });

  it('have a bounded number of names, and count the others together', () => {
    const metrics = new Metrics();
    for (let k = 0; k < 2_000; k += 1) {
      metrics.requestEnded(`type-${k}`, 'OK', 1);
      metrics.planned(`strategy-${k}`);
      metrics.attemptEnded(`engine-${k}`, 'OK', 1);
    }
    const { requests, requestTypes, strategies, engines } = metrics.snapshot();
    expect([requests, requestTypes.length, strategies.size, engines.size]).toEqual([2_000, 64, 64, 512]);
    expect(requestTypes.find(({ type }) => type === OTHER)?.count).toBe(2_000 - 63);
  });

  it('stop at the largest exact number', () => {
    const metrics = new Metrics();
    const most = 2n ** 64n - 1n;
    const work = { computeUs: 2 ** 32 - 1, batchItems: 0, synapticOperations: most, totalSpikes: most };
    for (let n = 0; n < 3; n += 1) metrics.computed('m', 1, work);
    const { spikes, synapticOperations } = metrics.snapshot().models[0]!;
    expect([spikes, synapticOperations]).toEqual([Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  });
});
