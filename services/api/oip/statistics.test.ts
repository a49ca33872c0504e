import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { CacheStatus } from '../../generated/tandem/v1/types.ts';
import { InferenceStatistics } from './statistics.ts';

const NONE = { count: 0n, ns: 0n };

let statistics: InferenceStatistics;

beforeEach(() => {
  statistics = new InferenceStatistics();
});

const answer = (cache: CacheStatus, modelVersion = 1): ReasonResponse =>
  ReasonResponse.fromPartial({
    ...{ model: 'm', modelVersion, cache },
    timing: { totalUs: 10.5, queueUs: 2, computeUs: 0.0004 },
  });

describe('the statistics of a model', () => {
  it('are zero before its first request', () => {
    expect(statistics.read('m', 3)).toMatchObject({
      ...{ name: 'm', version: '3', lastInference: 0n, inferenceCount: 0n, executionCount: 0n },
      inferenceStats: { success: NONE, fail: NONE, queue: NONE, computeInfer: NONE, cacheHit: NONE, cacheMiss: NONE },
    });
  });

  it('count an executed answer with its times in nanoseconds', () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(123);
    statistics.answered(answer(CacheStatus.CACHE_STATUS_MISS));
    now.mockRestore();
    expect(statistics.read('m', 1)).toMatchObject({
      ...{ lastInference: 123n, inferenceCount: 1n, executionCount: 1n },
      inferenceStats: {
        ...{ success: { count: 1n, ns: 10_500n }, cacheMiss: { count: 1n, ns: 10_500n } },
        ...{ queue: { count: 1n, ns: 2_000n }, computeInfer: { count: 1n, ns: 0n }, fail: NONE, cacheHit: NONE },
      },
    });
  });

  it('count an answer from the cache as no execution', () => {
    statistics.answered(answer(CacheStatus.CACHE_STATUS_HIT));
    expect(statistics.read('m', 1)).toMatchObject({
      ...{ inferenceCount: 1n, executionCount: 0n },
      inferenceStats: {
        ...{ success: { count: 1n, ns: 10_500n }, cacheHit: { count: 1n, ns: 10_500n } },
        ...{ queue: NONE, computeInfer: NONE, cacheMiss: NONE },
      },
    });
  });

  it('add up, separately for each version', () => {
    statistics.answered(answer(CacheStatus.CACHE_STATUS_MISS));
    statistics.answered(answer(CacheStatus.CACHE_STATUS_MISS));
    statistics.answered(answer(CacheStatus.CACHE_STATUS_MISS, 2));
    const { inferenceCount, executionCount, inferenceStats } = statistics.read('m', 1);
    expect([inferenceCount, executionCount, inferenceStats?.success]).toEqual([2n, 2n, { count: 2n, ns: 21_000n }]);
    expect(statistics.read('m', 2).inferenceCount).toBe(1n);
  });

  it('count an answer without times as one that took none', () => {
    statistics.answered(ReasonResponse.fromPartial({ model: 'm', modelVersion: 1 }));
    expect(statistics.read('m', 1).inferenceStats).toMatchObject({
      ...{ success: { count: 1n, ns: 0n }, queue: { count: 1n, ns: 0n }, computeInfer: { count: 1n, ns: 0n } },
    });
  });

  it('count a failed request with its time only as failed', () => {
    statistics.failed('m', 1, 1.5);
    expect(statistics.read('m', 1)).toMatchObject({
      ...{ lastInference: 0n, inferenceCount: 0n, executionCount: 0n },
      inferenceStats: { fail: { count: 1n, ns: 1_500n }, success: NONE },
    });
  });
});
