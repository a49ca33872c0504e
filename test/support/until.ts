// The one place where a test waits for something that has no event.
import { inspect } from 'node:util';

/** Long enough that waiting does not slow down the awaited code, which may run in this thread. */
const INTERVAL_MS = 5;

export interface Waiting {
  /** The awaited condition, as the end of "waited for …". */
  readonly what: string;
  readonly timeoutMs?: number;
}

/**
 * Resolves with the condition's first truthy value. A condition that throws or rejects does not hold: it may be an
 * `expect`, or a call that fails for now.
 */
export async function until<T>(condition: () => T | Promise<T>, { what, timeoutMs = 15_000 }: Waiting): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    try {
      const value = await condition();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= endMs) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; at last it was ${inspect(last)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}
