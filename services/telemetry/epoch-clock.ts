// performance.now() as milliseconds since 1970, to the microsecond, so that spans of several processes fit together.
// performance.timeOrigin alone would not do: the system's clock is set, and drifts, while the router runs.

/** Date.now() knows no fractions: within so much the two are the same. */
const TOLERANCE_MS = 2;

export class EpochClock {
  #originMs = performance.timeOrigin;

  toEpochMs(nowMs: number): number {
    return this.#originMs + nowMs;
  }

  /** Follows the system's clock where that has moved. */
  adjust(): void {
    const driftMs = Date.now() - this.#originMs - performance.now();
    if (Math.abs(driftMs) > TOLERANCE_MS) this.#originMs += driftMs;
  }
}
