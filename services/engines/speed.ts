// How fast an engine answers, from what it did lately. What is no answer makes it slower, never faster.

/** How far back the averages look, milliseconds: a sample this old counts 1/e as much as a new one. */
const TAU_MS = 500;
/** A failure or a refusal counts as an answer that took so long at least, milliseconds. */
const PENALTY_MS = 1_000;
/** So many requests without an answer, one after the other, and an engine is failing. */
const FAILING_AFTER = 3;

export class Speed {
  /** Mean time to an answer, milliseconds; 0 until the first one. */
  latencyMs = 0;
  /** When a request ended last, in whatever way, on performance.now()'s clock; -Infinity: never. */
  lastOutcomeMs = -Infinity;
  #lastAnswerMs = -Infinity;
  /** Since the last answer. */
  #unanswered = 0;
  /** Mean time per request in flight: constant for an engine that works off a queue. */
  #perRequestMs = 0;

  /** An answer. `inFlight`: unanswered requests when this one was sent, itself included. */
  recordAnswer(latencyMs: number, inFlight: number, nowMs: number): void {
    this.latencyMs += weightAfter(nowMs - this.#lastAnswerMs) * (latencyMs - this.latencyMs);
    this.#lastAnswerMs = nowMs;
    this.#unanswered = 0;
    this.#record(latencyMs / inFlight, nowMs);
  }

  /** No answer: a failure, a timeout, a refusal. An engine that does so quickly must not look quick. */
  recordFailure(elapsedMs: number, nowMs: number): void {
    this.#unanswered += 1;
    this.#record(Math.max(elapsedMs, PENALTY_MS), nowMs);
  }

  /** No answer in so long a time, which the engine did not end: it is this slow at least. */
  recordUnanswered(elapsedMs: number, nowMs: number): void {
    this.#unanswered += 1;
    this.#record(Math.max(elapsedMs, this.#perRequestMs), nowMs);
  }

  /** What one more request can expect, milliseconds; 0: not known yet. */
  expectedMs(inFlight: number): number {
    return this.#perRequestMs * (inFlight + 1);
  }

  get isFailing(): boolean {
    return this.#unanswered >= FAILING_AFTER;
  }

  #record(perRequestMs: number, nowMs: number): void {
    this.#perRequestMs += weightAfter(nowMs - this.lastOutcomeMs) * (perRequestMs - this.#perRequestMs);
    this.lastOutcomeMs = nowMs;
  }
}

/** Weighted by time, not by count, so that the few samples of an engine that is seldom asked correct it quickly. */
function weightAfter(ms: number): number {
  return 1 - Math.exp(-ms / TAU_MS);
}
