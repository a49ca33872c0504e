// Finds requests that have waited long for their engine, so that another engine can get them, too: a backup. One timer
// checks all requests. Nearly all of them end before the first check, so a timer for each would be wasted.
//
// A backup takes 1 from a credit, and returns it if it answers first. So backups that help are not limited. If they do
// not help, because the inputs take long on every engine, there are at most `CREDIT_PER_REQUEST` of them for each request.

export interface Watched {
  /** It is forgotten soon after this becomes true. */
  readonly isOver: boolean;
  /** When `check` is to be called, by performance.now(). */
  readonly checkMs: number;
  /** Sets `checkMs` to a later time. */
  check(nowMs: number): void;
}

const SWEEP_MS = 5;
/** Maximum credit, in backups. */
const MAX_CREDIT = 16;
const CREDIT_PER_REQUEST = 0.002;
/** Minimum number of requests that are added between two removals of ended ones. */
const ROOM = 128;

export class LateAttempts {
  #watched: Watched[] = [];
  /** The length at which requests that are over are removed. */
  #full = ROOM;
  #credit = MAX_CREDIT;
  #timer: NodeJS.Timeout | undefined;
  // Answers that arrived while this process was busy are read before the sweep, so they do not count as late.
  readonly #onTimer = (): void => void setImmediate(this.#sweep);
  readonly #sweep = (): void => {
    this.#removeOver();
    const nowMs = performance.now();
    for (const each of this.#watched) if (nowMs >= each.checkMs) each.check(nowMs);
    if (this.#watched.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };

  watch(request: Watched): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + CREDIT_PER_REQUEST);
    if (this.#watched.push(request) >= this.#full) this.#removeOver();
    this.#timer ??= setInterval(this.#onTimer, SWEEP_MS).unref();
  }

  /** Whether there is credit for a backup. */
  get mayBackUp(): boolean {
    return this.#credit >= 1;
  }

  backupBegins(): void {
    this.#credit -= 1;
  }

  /** The backup has answered first. */
  backupHelped(): void {
    this.#credit = Math.min(MAX_CREDIT, this.#credit + 1);
  }

  #removeOver(): void {
    let kept = 0;
    for (const each of this.#watched) if (!each.isOver) this.#watched[kept++] = each;
    this.#watched.length = kept;
    this.#full = 2 * kept + ROOM;
  }
}
