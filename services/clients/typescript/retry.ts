// The one retry policy, equal in every language: docs/clients.md, "Retries".
import { status } from '@grpc/grpc-js';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from './errors.ts';

const MAX_ATTEMPTS = 4;
const FIRST_DELAY_MS = 100;

export interface RetryContext {
  /** Milliseconds since 1970. No attempt begins after it. */
  readonly deadline: number;
  /** The call may be sent again although the router may have carried it out. */
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Calls until an answer, an error that another attempt does not change, or the last attempt. */
export async function withRetries<T>(call: () => Promise<T>, context: RetryContext): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const delayMs = attempt < MAX_ATTEMPTS ? retryDelayMs(error, attempt, context.isRepeatable) : undefined;
      if (delayMs === undefined || Date.now() + delayMs >= context.deadline) throw error;
      try {
        await sleep(delayMs, undefined, { signal: context.signal });
      } catch {
        throw error; // the caller has cancelled
      }
    }
  }
}

/** Delay before the next attempt. undefined: do not retry. */
export function retryDelayMs(error: unknown, attempt: number, isRepeatable: boolean): number | undefined {
  if (!(error instanceof TandemError)) return undefined;
  if (error.code !== status.UNAVAILABLE && error.code !== status.RESOURCE_EXHAUSTED) return undefined;
  // If the router names a delay, it has refused the call, so nothing was done.
  if (error.retryAfterMs !== undefined) return error.retryAfterMs;
  if (error.code === status.RESOURCE_EXHAUSTED || !isRepeatable) return undefined;
  return FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
}
