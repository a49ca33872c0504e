// Limits the unanswered requests of one engine, based on its answers. The rest waits in the router, where it can still
// be dropped or go to another engine.
//
// Known limits compare latencies: Vegas (Brakmo and Peterson, 1995) with the smallest one seen, Netflix's Gradient2 with
// a long-term mean. Neither suits an engine with a cheap and an expensive model (compared with the cheap one's latency,
// the expensive one looks like a queue) or one that computes in batches (latency and throughput both rise with the
// requests in flight). Under lasting overload, Gradient2's mean follows the queue, and its limit grows for ever. So the
// rules here are:
//
// - Only a standing queue counts (CoDel: Nichols and Jacobson, 2012). A burst that reached the limit and drained again
//   raises the limit. So load below an engine's capacity is never delayed for long.
// - A standing queue may be as long as the engine can process in TARGET_MS. It is measured in time, so it includes the
//   cost of the model.
// - For a longer queue, changes are tried: if more requests in flight bring more answers, the engine needs them, for
//   its batches or for the network; if fewer bring as many, fewer suffice. A change without benefit is undone.

/** Delay that a standing queue may add to a request, milliseconds. */
const TARGET_MS = 100;
/**
 * A decision needs this many requests, over at least this time, milliseconds, and over two of the engine's latencies.
 */
const WINDOW_REQUESTS = 50;
const WINDOW_MS = 100;
const WINDOW_LATENCIES = 2;
/**
 * Reached: this share of the limit was in flight at some time in the window. Standing: this share was in flight on
 * average.
 */
const REACHED = 0.9;
const STANDING = 0.7;
const GROWTH = 1.5;
/** If the engine has reported before that it was full. */
const SLOW_GROWTH = 1.05;
/** Minimum and maximum share that remains after a cut. */
const DEEPEST_CUT = 0.5;
const LEAST_CUT = 0.8;
/** If less than this share of requests is answered in time, a higher limit is not tried. */
const IN_TIME = 0.8;
/** A higher limit helped if answers grew by this factor; a lower limit hurt if they fell below this share. */
const HELPED = 1.1;
const UNHURT = 0.93;
/** The same if few are answered, since their number is less certain. */
const LATE_UNHURT = 0.6;
/** The best known answer rate decays by this factor in each window, because models and machines change. */
const FORGETTING = 0.99;
/** Windows before the next trial after a cut that hurt. */
const HOLD_WINDOWS = 20;
/** Share of the limit that remains when the engine reports that it is full. */
const AFTER_FULL = 0.8;

/**
 * `failure`: no answer, or not in time. `ignore`: not the engine's fault. `full`: the engine reported that it is full.
 */
export type LimitOutcome = 'success' | 'ignore' | 'failure' | 'full';

interface LimitOptions {
  readonly initial: number;
  readonly min: number;
  readonly max: number;
}

export const LIMIT_DEFAULTS: LimitOptions = { initial: 64, min: 4, max: 1_024 };

export class ConcurrencyLimit {
  readonly #options: LimitOptions;
  /** Maximum that the engine declares. */
  #cap = Infinity;
  #limit: number;
  /** The limit when the engine last reported that it was full. Above it, growth is slow. */
  #fullAt = Infinity;

  // The window.
  #sinceMs = -Infinity;
  #ended = 0;
  #answered = 0;
  #latencySumMs = 0;
  #mostInFlight = 0;

  // The trial.
  #trial: 'NONE' | 'MORE' | 'LESS' = 'NONE';
  /** The limit to return to if the trial fails. */
  #before = 0;
  /** Highest answer rate under a standing queue, per millisecond; 0: unknown. */
  #bestRate = 0;
  #holdWindows = 0;

  constructor(options: LimitOptions = LIMIT_DEFAULTS) {
    this.#options = options;
    this.#limit = Math.min(options.initial, options.max);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Whether another request may be sent with this many unanswered. */
  hasCapacity(inFlight: number): boolean {
    return inFlight + 1 <= this.#limit;
  }

  /** `maxInFlight`: maximum that the engine declares; 0: not declared. */
  cap(maxInFlight: number): void {
    this.#cap = maxInFlight > 0 ? maxInFlight : Infinity;
    this.#set(this.#limit);
  }

  /** Call when a request has ended. `inFlight`: unanswered requests when it was sent, including it. */
  record(latencyMs: number, inFlight: number, outcome: LimitOutcome, nowMs: number): void {
    if (outcome === 'full') {
      // The request was sent above the current limit, so the limit was already reduced for this.
      if (inFlight <= this.#limit) this.#cutFull(inFlight);
      return;
    }
    // A caller that leaves early says nothing about the engine; one that leaves late has waited too long.
    if (outcome === 'ignore' && latencyMs < TARGET_MS) return;
    if (this.#sinceMs === -Infinity) this.#sinceMs = nowMs;
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
    // Little's law, twice: time in the engine per answer, and the mean number in flight. Requests that timed out also
    // spent their time there.
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

  /** A step towards the smallest limit that keeps the answer rate. */
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
      this.#bestRate = 0; // everything may have become slower: measure again
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
