// Waits for a promise, until the caller leaves or its deadline passes.
import type { CancelSignal } from './cancel.ts';
import { RouterError } from './errors.ts';

/**
 * Rejects as soon as `signal` is aborted or the deadline passes, even if the work cannot be interrupted at that moment:
 * with the signal's reason if that is a RouterError, else with CANCELLED; or with DEADLINE_EXCEEDED. `deadlineMs`: by
 * performance.now(); default: none.
 */
export async function orStopped<T>(work: Promise<T>, signal: CancelSignal, deadlineMs = Infinity): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = (): void => reject(cancellation(signal.reason));
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

function cancellation(reason: unknown): RouterError {
  return reason instanceof RouterError ? reason : new RouterError('CANCELLED', 'the caller no longer wants the answer');
}
