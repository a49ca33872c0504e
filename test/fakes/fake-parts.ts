// Parts that a unit test must give and does not care about.
import type { Observer } from '../../services/core/observer.ts';
import type { BreakerOptions } from '../../services/engines/breaker.ts';

export const fakeBreaker: BreakerOptions = { failurePercent: 50, minRequests: 5, windowMs: 10_000, resetMs: 500 };

/** Counts nothing. */
export const silent: Observer = {
  requestEnded: () => undefined,
  planned: () => undefined,
  attemptEnded: () => undefined,
  computed: () => undefined,
  answered: () => undefined,
  cacheUsed: () => undefined,
  voted: () => undefined,
};
