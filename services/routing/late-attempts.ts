// Finds requests whose engine is late, so that another engine can be asked beside it, as a backup. One timer for all
// requests, since nearly all of them end before anything has to be done: a timer for each would cost more than it brings.
//
// A backup is paid from a credit, and gets its price back if it answers first. So there are as many as help. Where they do
// not, since the inputs take long on every engine, they stay below `CREDIT_PER_REQUEST` of the requests.

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
/** At least so many requests are added before those that are over are removed. */
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
