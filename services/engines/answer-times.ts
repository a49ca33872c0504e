// Estimates the latency of an engine for one model, and the time limit of an attempt. The estimate is TCP's of a
// round trip (RFC 6298): a mean and a mean deviation. It allocates nothing.

const MEAN_GAIN = 1 / 8;
const DEVIATION_GAIN = 1 / 4;
const DEVIATIONS = 4;
/** Minimum time limit by the estimate, milliseconds: pauses of a healthy process are shorter. */
const MIN_ATTEMPT_MS = 250;
/** Minimum time of an attempt, as a multiple of the expected latency, even if the caller has little time. */
const SLACK = 2;

export class AnswerTimes {
  /** Time of the newest answer, by performance.now(); -Infinity: none yet. */
  lastAnswerMs = -Infinity;
  /** Time of the first request since the last answer; Infinity: no request since then. */
  waitingSinceMs = Infinity;
  #meanMs = 0;
  #deviationMs = 0;
  /** Latency divided by requests in flight: constant for an engine that processes a queue. */
  #paceMs = 0;
  #meanBytes = 0;

  /** Whether there is an estimate. */
  get isKnown(): boolean {
    return this.#meanMs > 0;
  }

  recordRequest(nowMs: number): void {
    if (this.waitingSinceMs === Infinity) this.waitingSinceMs = nowMs;
  }

  /** `inFlight`: unanswered requests when this one was sent, including it. `stillInFlight`: unanswered requests now. */
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
    // One late answer must not make the next attempts wait much longer.
    const sampleMs = Math.min(latencyMs, Math.max(MIN_ATTEMPT_MS, this.latencyQuantileMs(inFlight, bytes)));
    this.#deviationMs += DEVIATION_GAIN * (Math.abs(sampleMs - this.#meanMs) - this.#deviationMs);
    this.#meanMs += MEAN_GAIN * (sampleMs - this.#meanMs);
    this.#paceMs += MEAN_GAIN * (sampleMs / inFlight - this.#paceMs);
    this.#meanBytes += MEAN_GAIN * (bytes - this.#meanBytes);
  }

  /** A request ended without an answer, but not by a time-out. */
  recordLeft(stillInFlight: number): void {
    if (stillInFlight === 0) this.waitingSinceMs = Infinity;
  }

  /** An attempt timed out without a fault of the engine: the model or the load makes answers this slow. */
  recordSlow(elapsedMs: number, bytes: number): void {
    if (this.#meanMs === 0) this.#meanBytes = bytes;
    if (elapsedMs <= this.#meanMs) return;
    this.#meanMs = elapsedMs;
    this.#deviationMs = Math.max(this.#deviationMs, elapsedMs / 2);
  }

  /** Upper bound of nearly all latencies, for this number of requests in flight and this input size; 0: unknown. */
  latencyQuantileMs(inFlight: number, bytes: number): number {
    const aloneMs = this.#meanMs + DEVIATIONS * this.#deviationMs;
    return Math.max(aloneMs, SLACK * this.#paceMs * inFlight) * this.#scale(bytes);
  }

  /**
   * Time limit of one attempt. `shareMs`: its share of the caller's time. The limit is longer only if that share would
   * end most answers of this model, and shorter if answers usually take less.
   */
  attemptMs(inFlight: number, bytes: number, shareMs: number): number {
    if (!this.isKnown) return shareMs;
    const meanMs = Math.max(this.#meanMs, this.#paceMs * inFlight) * this.#scale(bytes);
    const latencyQuantileMs = Math.max(MIN_ATTEMPT_MS, this.latencyQuantileMs(inFlight, bytes));
    return Math.min(latencyQuantileMs, Math.max(shareMs, SLACK * meanMs));
  }

  /** Longer series take longer. */
  #scale(bytes: number): number {
    return Math.max(1, bytes / Math.max(1, this.#meanBytes));
  }
}
