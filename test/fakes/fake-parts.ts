// Parts that a unit test needs but does not test.
import type { CancelSignal } from '../../services/core/cancel.ts';
import type { Observer } from '../../services/core/observer.ts';
import type { BreakerOptions } from '../../services/engines/breaker.ts';
import { Admission } from '../../services/routing/admission.ts';
import type { AttemptOptions, EngineClient } from '../../services/routing/attempt.ts';
import type { Execution } from '../../services/routing/executor.ts';
import { LateAttempts } from '../../services/routing/late-attempts.ts';
import { RetryBudget } from '../../services/routing/retry-budget.ts';
import { Tracing } from '../../services/telemetry/tracing.ts';

export const fakeBreaker: BreakerOptions = { failurePercent: 50, minRequests: 5, windowMs: 10_000, resetMs: 500 };

/** Counts nothing. */
export const silent: Observer = {
  requestEnded: () => undefined,
  planned: () => undefined,
  attemptEnded: () => undefined,
  engineLate: () => undefined,
  computed: () => undefined,
  answered: () => undefined,
  cacheUsed: () => undefined,
  voted: () => undefined,
};

/** Keeps nothing. */
export function fakeTracing(): Tracing {
  const sampler = { isParentBased: true, ratio: 0 };
  const source = { service: '', instance: '' };
  return new Tracing({ enabled: false, sampler, slowMs: 0, withLayers: false, source, onKept: () => undefined });
}

/** A small input for those engines, and a call that ends when `signal` is aborted. */
export function fakeExecution<E extends EngineClient>(
  plan: readonly E[],
  signal: CancelSignal,
  options: Partial<AttemptOptions> = {},
  over: Partial<Execution<E>> = {},
): Execution<E> {
  return {
    input: { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) },
    context: { deadlineMs: Infinity, signal },
    attempts: [],
    claims: [],
    strategy: 'TEST',
    plan,
    readout: { from: 'spike_count', labels: [], temperature: 1 },
    policy: undefined,
    latencyQuantileMs: undefined,
    contradicted: () => undefined,
    options: {
      maxAttempts: 3,
      attemptTimeoutMs: 1_000,
      budget: new RetryBudget(100, 20),
      lateAttempts: new LateAttempts(),
      admission: new Admission({ maxQueue: 100, maxWaitMs: 1_000 }),
      observer: silent,
      onDispute: () => undefined,
      pool: { engines: plan },
      ...options,
    },
    ...over,
  };
}
