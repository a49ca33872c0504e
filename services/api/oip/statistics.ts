// Counts the answers over this protocol for Triton's ModelStatistics.
import type { ModelStatistics as Message, StatisticDuration } from '../../generated/inference/grpc_service.ts';
import { InferStatistics } from '../../generated/inference/grpc_service.ts';
import type { ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { CacheStatus } from '../../generated/tandem/v1/types.ts';

class Duration implements StatisticDuration {
  count = 0n;
  ns = 0n;

  add(microseconds: number): void {
    this.count += 1n;
    this.ns += BigInt(Math.round(microseconds * 1_000));
  }
}

class Counts {
  lastInference = 0n;
  inferences = 0n;
  executions = 0n;
  readonly success = new Duration();
  readonly fail = new Duration();
  readonly queue = new Duration();
  readonly compute = new Duration();
  readonly hit = new Duration();
  readonly miss = new Duration();
}

export class InferenceStatistics {
  /** By "name/version". Only existing versions are counted, so the table is bounded. */
  readonly #counts = new Map<string, Counts>();

  answered({ model, modelVersion, timing, cache }: ReasonResponse): void {
    const counts = this.#of(`${model}/${modelVersion}`);
    const totalUs = timing?.totalUs ?? 0;
    counts.lastInference = BigInt(Date.now());
    counts.inferences += 1n;
    counts.success.add(totalUs);
    if (cache === CacheStatus.CACHE_STATUS_HIT) {
      counts.hit.add(totalUs);
      return;
    }
    counts.executions += 1n;
    counts.miss.add(totalUs);
    counts.queue.add(timing?.queueUs ?? 0);
    counts.compute.add(timing?.computeUs ?? 0);
  }

  failed(name: string, version: number, microseconds: number): void {
    this.#of(`${name}/${version}`).fail.add(microseconds);
  }

  read(name: string, version: number): Message {
    const counts = this.#counts.get(`${name}/${version}`) ?? new Counts();
    return {
      name,
      version: String(version),
      lastInference: counts.lastInference,
      inferenceCount: counts.inferences,
      executionCount: counts.executions,
      inferenceStats: InferStatistics.fromPartial({
        ...{ success: counts.success, fail: counts.fail, queue: counts.queue, computeInfer: counts.compute },
        ...{ cacheHit: counts.hit, cacheMiss: counts.miss },
      }),
    };
  }

  #of(key: string): Counts {
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const counts = new Counts();
    this.#counts.set(key, counts);
    return counts;
  }
}
