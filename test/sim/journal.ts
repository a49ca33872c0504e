// The events of a schedule in order: their lines, hash and counts, and the first broken invariant.
import { Broken } from './invariants.ts';
import { clock } from './virtual-clock.ts';

export class Journal {
  readonly trace: string[] = [];
  readonly counts: Record<string, number> = {};
  broken: Broken | undefined;
  readonly #wantsTrace: boolean;
  readonly #startMs: number;
  #hash = 0x811c9dc5;

  constructor(wantsTrace: boolean, startMs: number) {
    this.#wantsTrace = wantsTrace;
    this.#startMs = startMs;
  }

  get hash(): number {
    return this.#hash >>> 0;
  }

  note(...what: readonly (string | number | boolean)[]): void {
    const line = `${(clock.nowMs - this.#startMs).toFixed(3)} ${what.join(' ')}`;
    let hash = this.#hash;
    for (let k = 0; k < line.length; k += 1) hash = Math.imul(hash ^ line.charCodeAt(k), 0x01000193);
    this.#hash = hash;
    if (this.#wantsTrace) this.trace.push(line);
  }

  /** By the first word. */
  count(what: string): void {
    const name = what.split(' ', 1)[0]!;
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** A broken invariant must not look like an error of the product, which would handle it. */
  guard<T>(check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  fail(error: unknown): void {
    const broken = error instanceof Broken ? error : new Broken('errors', (error as Error).stack ?? 'thrown');
    this.note('BROKEN', broken.invariant, broken.message);
    this.broken ??= broken;
  }
}
