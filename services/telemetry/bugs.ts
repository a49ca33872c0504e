// Uncaught errors, which are bugs of the router. Each is logged and counted, and the process continues, because one bad
// request must not end all others. After many at once, the process ends.
import type { Log } from './log.ts';

/** If there are more bugs than this within this time, milliseconds, the process ends. */
const MAX_BUGS = 10;
const WINDOW_MS = 10_000;

export class Bugs {
  readonly #log: Log;
  readonly #recentMs: number[] = [];
  #count = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Since the process started. */
  get count(): number {
    return this.#count;
  }

  /** `origin`: how it was caught. Returns true if there are too many and the process must end. */
  record(error: unknown, origin: string): boolean {
    this.#count += 1;
    const nowMs = performance.now();
    this.#recentMs.push(nowMs);
    if (this.#recentMs.length > MAX_BUGS + 1) this.#recentMs.shift();
    const err = error instanceof Error ? error : new Error(String(error));
    this.#log.error({ err, origin }, 'bug: an uncaught error; the router continues; please report it');
    return this.#recentMs.length > MAX_BUGS && nowMs - this.#recentMs[0]! <= WINDOW_MS;
  }
}
