// How many requests one engine may have unanswered, from how it answers: the rest waits in the router, where it can
// still be dropped or go elsewhere.
//
// Known limits compare latencies: Vegas (Brakmo and Peterson, 1995) with the smallest one seen, Netflix's Gradient2 with
// a long-term mean. Neither suits an engine that holds a cheap and an expensive model (the cheap one's latency makes the
// expensive one look like a queue) or that computes in batches (latency rises with what is in flight, and throughput
// with it); and under lasting overload Gradient2's mean follows the queue, and its limit grows for ever. So here:
//
// - Only a standing queue counts (CoDel: Nichols and Jacobson, 2012). A burst that reached the limit and drained again
//   raises the limit. Load below an engine's capacity is therefore never held back for long.
// - A standing queue may be as long as the engine works off in TARGET_MS: in time, so that what a model costs is in it.
// - What to do about one that takes longer is tried out: if more in flight brings more answers, the engine needs it, for
//   its batches or for the way to it; if less brings as many, that will do. Whatever has not paid is taken back.

/** What a standing queue may cost a request, milliseconds. */
const TARGET_MS = 100;
/** A verdict needs so many requests, over at least so long, milliseconds; and over two of the engine's latencies. */
const WINDOW_REQUESTS = 50;
const WINDOW_MS = 100;
const WINDOW_LATENCIES = 2;
/** Reached: so much of the limit was in flight at some time of the window. Standing: so much, on average. */
const REACHED = 0.9;
const STANDING = 0.7;
const GROWTH = 1.5;
/** Where the engine has said before that it was full. */
const SLOW_GROWTH = 1.05;
/** What a cut leaves, at least and at most. */
const DEEPEST_CUT = 0.5;
const LEAST_CUT = 0.8;
/** Where less than this part of the requests is answered in time, more in flight is not even tried. */
const IN_TIME = 0.8;
/** More in flight has helped if there are so many times the answers; less has hurt if there are less than this part. */
const HELPED = 1.1;
const UNHURT = 0.93;
/** Where few are answered, their number says less. */
const LATE_UNHURT = 0.6;
/** The best rate of answers known is forgotten by this part in each window, for models and machines change. */
const FORGETTING = 0.99;
/** Windows until the next trial after a cut that hurt. */
const HOLD_WINDOWS = 20;
/** What is left of the limit when the engine says that it is full. */
const AFTER_FULL = 0.8;

/** `failure`: no answer, or none in time. `ignore`: not its fault. `full`: it said so. */
export type LimitOutcome = 'success' | 'ignore' | 'failure' | 'full';

interface LimitOptions {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

export const LIMIT_DEFAULTS: LimitOptions = { initial: 64, min: 4, max: 1_024 };

export class ConcurrencyLimit {
  readonly #options: LimitOptions;
  /** What the engine takes at most, as it says. */
  #cap = Infinity;
  #limit: number;
  /** The limit at which the engine last said that it was full: above it, growth is slow. */
  #fullAt = Infinity;

  // The window.
  #sinceMs = -Infinity;
  #ended = 0;
  #answered = 0;
  #latencySumMs = 0;
  #mostInFlight = 0;

  // The trial.
  #trial: 'NONE' | 'MORE' | 'LESS' = 'NONE';
  /** What to return to if it fails. */
  #before = 0;
  /** Most answers per millisecond under a standing queue; 0: not known. */
  #bestRate = 0;
  #holdWindows = 0;

  constructor(options: LimitOptions = LIMIT_DEFAULTS) {
    this.#options = options;
    this.#limit = Math.min(options.initial, options.max);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Whether one more may be sent while so many are unanswered. */
  hasCapacity(inFlight: number): boolean {
    return inFlight + 1 <= this.#limit;
  }

  /** `maxInFlight`: what the engine takes at most, as it says; 0: it does not say. */
  cap(maxInFlight: number): void {
    this.#cap = maxInFlight > 0 ? maxInFlight : Infinity;
    this.#set(this.#limit);
  }

  /** When a request has ended. `inFlight`: unanswered requests when it was sent, itself included. */
  record(latencyMs: number, inFlight: number, outcome: LimitOutcome, nowMs: number): void {
    if (outcome === 'full') {
      // Sent above the limit as it is now: that news has been heard.
      if (inFlight <= this.#limit) this.#cutFull(inFlight);
      return;
    }
    // Who leaves early says nothing of the engine; who leaves later has waited too long.
    if (outcome === 'ignore' && latencyMs < TARGET_MS) return;
    if (this.#ended === 0 && this.#sinceMs === -Infinity) this.#sinceMs = nowMs;
    this.#ended += 1;
    if (outcome === 'success') this.#answered += 1;
    this.#latencySumMs += latencyMs;
    if (inFlight > this.#mostInFlight) this.#mostInFlight = inFlight;
    if (this.#ended < WINDOW_REQUESTS) return;
    const elapsedMs = nowMs - this.#sinceMs;
    const latencyOfAllMs = this.#latencySumMs / this.#ended;
    if (elapsedMs < WINDOW_MS || elapsedMs < WINDOW_LATENCIES * latencyOfAllMs) return;
    this.#judge(elapsedMs);
    this.#startWindow(nowMs);
  }

  #judge(elapsedMs: number): void {
    const isReached = this.#mostInFlight >= REACHED * this.limit;
    // Little's law, twice: time spent in the engine per answer, and the mean in flight. What timed out spent its time
    // there, too.
    const perAnswerMs = this.#latencySumMs / Math.max(1, this.#answered);
    if (perAnswerMs > TARGET_MS) {
      const isStanding = isReached && this.#latencySumMs / elapsedMs > STANDING * this.limit;
      const areLate = this.#answered < IN_TIME * this.#ended;
      if (isStanding || areLate) this.#climb(this.#answered / elapsedMs, perAnswerMs, areLate);
      return;
    }
    this.#trial = 'NONE';
    this.#bestRate = 0;
    this.#holdWindows = 0;
    const grown = Math.min(this.#limit * GROWTH, REACHED * this.#fullAt);
    if (isReached) this.#set(Math.max(grown, this.#limit * SLOW_GROWTH));
  }

  /** One step towards the smallest limit that loses no answers. */
  #climb(rate: number, perAnswerMs: number, areLate: boolean): void {
    if (this.#holdWindows > 0 && !areLate) {
      this.#holdWindows -= 1;
      this.#bestRate = Math.max(this.#bestRate, rate);
      return;
    }
    const [trial, best] = [this.#trial, this.#bestRate];
    this.#trial = 'NONE';
    this.#bestRate = Math.max(best * FORGETTING, rate);
    if (trial === 'LESS' && rate < best * (areLate ? LATE_UNHURT : UNHURT)) {
      this.#set(this.#before);
      this.#bestRate = 0; // perhaps everything has become slower: measured anew
      this.#holdWindows = HOLD_WINDOWS;
    } else if (!areLate && (trial === 'NONE' || (trial === 'MORE' && rate > best * HELPED))) {
      this.#try('MORE', GROWTH);
    } else {
      if (trial === 'MORE') this.#set(this.#before);
      if (areLate) this.#set(Math.min(this.#limit, this.#mostInFlight));
      this.#try('LESS', Math.min(LEAST_CUT, Math.max(DEEPEST_CUT, TARGET_MS / perAnswerMs)));
    }
  }

  #try(trial: 'MORE' | 'LESS', factor: number): void {
    this.#before = this.#limit;
    this.#trial = trial;
    this.#set(this.#limit * factor);
  }

  #cutFull(inFlight: number): void {
    this.#fullAt = Math.max(inFlight, this.#limit * DEEPEST_CUT);
    this.#trial = 'NONE';
    this.#set(this.#fullAt * AFTER_FULL);
  }

  #set(limit: number): void {
    const { min, max } = this.#options;
    this.#limit = Math.min(max, this.#cap, Math.max(min, limit));
  }

  #startWindow(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#ended = 0;
    this.#answered = 0;
    this.#latencySumMs = 0;
    this.#mostInFlight = 0;
  }
}
