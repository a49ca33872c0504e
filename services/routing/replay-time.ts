// Time limit for one question to one engine.
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';

/** Rejects when the time is over, even if the engine ignores the limit. */
export async function within<T>(
  timeoutMs: number,
  { signal, deadlineMs }: CallContext,
  ask: (limits: CallContext) => Promise<T>,
): Promise<T> {
  const nowMs = performance.now();
  const leftMs = Math.max(0, Math.min(timeoutMs, deadlineMs - nowMs));
  const over = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (error: RouterError): void => {
    reject(error);
    over.abort(error);
  };
  const leave = (): void => end(RouterError.from(signal.reason));
  const timer = setTimeout(() => {
    end(new RouterError('ENGINE_SLOW', `no answer within ${Math.round(leftMs)} ms`));
  }, leftMs);
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  promise.catch(() => undefined); // where it is not awaited any more
  try {
    return await Promise.race([ask({ deadlineMs: nowMs + leftMs, signal: over.signal }), promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}
