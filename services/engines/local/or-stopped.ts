// Waits for a promise, until the caller leaves or its deadline passes.
import type { CancelSignal } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';

/** Rejects with CANCELLED or DEADLINE_EXCEEDED if that comes first. */
export async function orStopped<T>(work: Promise<T>, deadlineMs: number, signal: CancelSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = (): void => reject(new RouterError('CANCELLED', 'the caller no longer wants the answer'));
  const expire = (): void => reject(new RouterError('DEADLINE_EXCEEDED', 'the deadline has passed'));
  // setTimeout takes at most 2³¹ − 1 ms; later deadlines are ignored.
  const leftMs = deadlineMs - performance.now();
  const timer = leftMs < 2 ** 31 ? setTimeout(expire, Math.max(0, leftMs)) : undefined;
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}
