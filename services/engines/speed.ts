// How fast an engine answers, from what it did lately.

/** How far back the averages look, milliseconds: a sample this old counts 1/e as much as a new one. */
const TAU_MS = 500;

export class Speed {
  /** Mean time to an answer, milliseconds; 0 until the first one. */
  latencyMs = 0;
  /** When the last answer came, on performance.now()'s clock; -Infinity: never. */
  lastAnswerMs = -Infinity;
  /** Mean latency per request in flight: constant for an engine that works off a queue. */
  #perRequestMs = 0;

  /** `inFlight`: unanswered requests when this one was sent, itself included. */
  record(latencyMs: number, inFlight: number, nowMs: number): void {
    // Weighted by time, not by count, so that the few samples of an engine that is seldom asked correct it quickly.
    const weight = 1 - Math.exp(-(nowMs - this.lastAnswerMs) / TAU_MS);
    this.latencyMs += weight * (latencyMs - this.latencyMs);
    this.#perRequestMs += weight * (latencyMs / inFlight - this.#perRequestMs);
    this.lastAnswerMs = nowMs;
  }

  /** What one more request can expect, milliseconds; 0: not known yet. */
  expectedMs(inFlight: number): number {
    return this.#perRequestMs * (inFlight + 1);
  }
}
