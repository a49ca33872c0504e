// How long an engine takes to answer for one model, and how long an attempt should wait for it. The estimate is TCP's of a
// round trip (RFC 6298): a mean and a mean deviation. It allocates nothing.

const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
const DEVIATIONS = 4;
/** No attempt ends earlier by the estimate, milliseconds: pauses of a healthy process are shorter. */
const MIN_ATTEMPT_MS = 250;
/** Of what the mean, or the pace, lets expect: an attempt gets so much at least, also where the caller's time is short. */
const SLACK = 2;

export class AnswerTimes {
  /** Of the newest answer, on performance.now()'s clock; -Infinity: there was none. */
  lastAnswerMs = -Infinity;
  /** Since when it has been asked without an answer; Infinity: it was not asked since its last answer. */
  waitingSinceMs = Infinity;
  #meanMs = 0;
  #deviationMs = 0;
  /** Latency divided by requests in flight: constant for an engine that works off a queue. */
  #paceMs = 0;
  #meanBytes = 0;

  /** Whether anything is known of its speed. */
  get isKnown(): boolean {
    return this.#meanMs > 0;
  }

  recordRequest(nowMs: number): void {
    if (this.waitingSinceMs === Infinity) this.waitingSinceMs = nowMs;
  }

  /** `inFlight`: unanswered requests when this one was sent, itself included. `stillInFlight`: unanswered requests now. */
  recordAnswer(latencyMs: number, inFlight: number, bytes: number, stillInFlight: number, nowMs: number): void {
    this.lastAnswerMs = nowMs;
    this.waitingSinceMs = stillInFlight > 0 ? nowMs : Infinity;
    if (this.#meanMs === 0) {
      this.#meanMs = Math.max(latencyMs, Number.MIN_VALUE);
      this.#deviationMs = latencyMs / 2;
      this.#paceMs = latencyMs / inFlight;
      this.#meanBytes = bytes;
      return;
    }
    // One late answer must not make the next attempts wait as long.
    const sampleMs = Math.min(latencyMs, Math.max(MIN_ATTEMPT_MS, this.latencyQuantileMs(inFlight, bytes)));
    this.#deviationMs += DEVIATION_GAIN * (Math.abs(sampleMs - this.#meanMs) - this.#deviationMs);
    this.#meanMs += MEAN_GAIN * (sampleMs - this.#meanMs);
    this.#paceMs += MEAN_GAIN * (sampleMs / inFlight - this.#paceMs);
    this.#meanBytes += MEAN_GAIN * (bytes - this.#meanBytes);
  }

  /** A request has ended without an answer, and not for want of time. */
  recordLeft(stillInFlight: number): void {
    if (stillInFlight === 0) this.waitingSinceMs = Infinity;
  }

  /** No answer in so long a time, and the engine is not to blame: the model, or the load, makes answers this slow. */
  recordSlow(elapsedMs: number, bytes: number): void {
    if (this.#meanMs === 0) this.#meanBytes = bytes;
    if (elapsedMs <= this.#meanMs) return;
    this.#meanMs = elapsedMs;
    this.#deviationMs = Math.max(this.#deviationMs, elapsedMs / 2);
  }

  /** What nearly every answer takes at most, with so many in flight and an input of so many bytes; 0: not known. */
  latencyQuantileMs(inFlight: number, bytes: number): number {
    const aloneMs = this.#meanMs + DEVIATIONS * this.#deviationMs;
    return Math.max(aloneMs, SLACK * this.#paceMs * inFlight) * this.#scale(bytes);
  }

  /**
   * What one attempt may take. `shareMs`: its share of the caller's time. It gets more than that only where the share would
   * end most answers of this model; it gets less where answers usually take less.
   */
  attemptMs(inFlight: number, bytes: number, shareMs: number): number {
    if (!this.isKnown) return shareMs;
    const meanMs = Math.max(this.#meanMs, this.#paceMs * inFlight) * this.#scale(bytes);
    const latencyQuantileMs = Math.max(MIN_ATTEMPT_MS, this.latencyQuantileMs(inFlight, bytes));
    return Math.min(latencyQuantileMs, Math.max(shareMs, SLACK * meanMs));
  }

  /** Longer series take longer. */
  #scale(bytes: number): number {
    return bytes > this.#meanBytes && this.#meanBytes > 0 ? bytes / this.#meanBytes : 1;
  }
}
