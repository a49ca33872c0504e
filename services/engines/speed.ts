// Estimates an engine's latency from recent answers. A failed request raises the estimate, never lowers it.

/** Time constant of the averages, milliseconds: a sample this old counts 1/e as much as a new one. */
const TAU_MS = 500;
/** A failure or a refusal counts as an answer with at least this latency, milliseconds. */
const PENALTY_MS = 1_000;
/** Consecutive requests without an answer after which an engine counts as failing. */
const FAILING_AFTER = 3;

export class Speed {
  /** Mean time to an answer, milliseconds; 0 until the first one. */
  latencyMs = 0;
  /** When a request last ended, by performance.now(); -Infinity: never. */
  lastOutcomeMs = -Infinity;
  #lastAnswerMs = -Infinity;
  /** Failures since the last answer. */
  #unanswered = 0;
  /** Mean time per request in flight: constant for an engine that processes a queue. */
  #perRequestMs = 0;

  /** Records an answer. `inFlight`: unanswered requests when this one was sent, including it. */
  recordAnswer(latencyMs: number, inFlight: number, nowMs: number): void {
    this.latencyMs += weightAfter(nowMs - this.#lastAnswerMs) * (latencyMs - this.latencyMs);
    this.#lastAnswerMs = nowMs;
    this.#unanswered = 0;
    this.#record(latencyMs / inFlight, nowMs);
  }

  /** Records a failure, a time-out or a refusal. An engine that fails quickly must not look fast. */
  recordFailure(elapsedMs: number, nowMs: number): void {
    this.#unanswered += 1;
    this.#record(Math.max(elapsedMs, PENALTY_MS), nowMs);
  }

  /** Records a request that we ended after this time without an answer: the engine is at least this slow. */
  recordUnanswered(elapsedMs: number, nowMs: number): void {
    this.#unanswered += 1;
    this.#record(Math.max(elapsedMs, this.#perRequestMs), nowMs);
  }

  /** Expected latency of one more request, milliseconds; 0: unknown. */
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

/** Weighted by time, not by count, so that the few samples of a rarely used engine correct the estimate quickly. */
function weightAfter(ms: number): number {
  return 1 - Math.exp(-ms / TAU_MS);
}
