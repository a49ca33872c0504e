// Waiting that ends when the caller wants it to.
import type { CancelSignal } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';

/** Rejects with CANCELLED or DEADLINE_EXCEEDED where that comes first. */
export async function orStopped<T>(work: Promise<T>, deadlineMs: number, signal: CancelSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = (): void => reject(new RouterError('CANCELLED', 'the caller no longer wants the answer'));
  const expire = (): void => reject(new RouterError('DEADLINE_EXCEEDED', 'the deadline has passed'));
  // setTimeout takes no more than 2³¹ − 1 ms; deadlines beyond that are as good as none.
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
