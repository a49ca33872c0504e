// A result cache with a clock that the test sets, callers that cancel, and computations that the test ends.
import { type ErrorKind, RouterError } from '../../services/core/errors.ts';
import type { CallContext } from '../../services/core/inference.ts';
import { AnswerCache, type CachedAnswer, type CacheKey, type CacheUse } from '../../services/cache/answer-cache.ts';
import type { StoreOptions } from '../../services/cache/answer-store.ts';

export const TTL_MS = 100;
export const STALE_MS = 1_000;

class Clock {
  ms = 0;
  readonly now = (): number => this.ms;
}

export function build(over: Partial<StoreOptions<string>> = {}): { cache: AnswerCache<string>; clock: Clock } {
  const clock = new Clock();
  const sizeOf = (value: string): number => value.length;
  const options = { maxEntries: 1_000, maxBytes: 1e9, ttlMs: TTL_MS, staleMs: STALE_MS, sizeOf, ...over };
  return { cache: new AnswerCache<string>(options, clock.now), clock };
}

/** Keys of equal text are equal; the hash is the text's length, so keys of one length collide. */
export function key(text: string, scope = 'model'): CacheKey {
  return { scope, hash: BigInt(text.length), data: Buffer.from(text) };
}

type Caller = CallContext & { leave: (kind?: ErrorKind) => void };

export function caller(deadlineMs = Infinity): Caller {
  const controller = new AbortController();
  const leave = (kind: ErrorKind = 'CANCELLED'): void => controller.abort(new RouterError(kind, 'left'));
  return { deadlineMs, signal: controller.signal, leave };
}

/** Computations that the test ends. */
export class Computations {
  readonly started: {
    context: CallContext;
    succeed: (value: string) => void;
    fail: (kind: ErrorKind) => void;
  }[] = [];

  readonly compute = (context: CallContext): Promise<string> =>
    new Promise((resolve, reject) => {
      const fail = (kind: ErrorKind): void => reject(new RouterError(kind, 'failed'));
      this.started.push({ context, succeed: resolve, fail });
      context.signal.addEventListener('abort', () => reject(RouterError.from(context.signal.reason)));
    });
}

export const giving = (value: string) => () => Promise.resolve(value);
export const failing = (kind: ErrorKind) => () => Promise.reject(new RouterError(kind, 'failed'));
export const unneeded = (): Promise<string> => Promise.reject(new Error('computed without need'));

/** "MISS x", or the kind of the error. */
export async function outcome(answer: Promise<CachedAnswer<string>>): Promise<string> {
  return await answer.then(
    ({ status, value }) => `${status} ${value}`,
    (error: unknown) => (error as RouterError).kind,
  );
}

/** Runs all pending promise callbacks. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Uses the cache like the router: a fresh answer is returned at once, others are computed. */
export async function answerOf<V>(
  cache: AnswerCache<V>,
  askedKey: CacheKey,
  use: CacheUse,
  context: CallContext,
  compute: (context: CallContext) => Promise<V>,
): Promise<CachedAnswer<V>> {
  const kept = use === 'USE' ? cache.fresh(askedKey) : undefined;
  return kept === undefined ? await cache.compute(askedKey, use, context, compute) : { value: kept, status: 'HIT' };
}
