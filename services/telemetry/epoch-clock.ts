// performance.now() as milliseconds since 1970, to the microsecond, so that spans of several processes fit together.
// performance.timeOrigin alone would not do: it is a little off where the process was interrupted while it was read, and the
// system's clock is set while the router runs.

export interface Clocks {
  /** Milliseconds since some point, fractional. */
  now(): number;
  /** Milliseconds since 1970, whole ones. */
  wall(): number;
}

const SYSTEM: Clocks = { now: () => performance.now(), wall: () => Date.now() };

export class EpochClock {
  readonly #clocks: Clocks;
  #originMs: number;

  constructor(originMs: number = performance.timeOrigin, clocks: Clocks = SYSTEM) {
    this.#originMs = originMs;
    this.#clocks = clocks;
  }

  toEpochMs(nowMs: number): number {
    return this.#originMs + nowMs;
  }

  /**
   * Follows the system's clock. That knows no fractions, but each reading says between which two origins ours must be: it
   * moves no farther than into there, and many readings bring it close.
   */
  adjust(): void {
    const before = this.#clocks.now();
    const wallMs = this.#clocks.wall();
    const after = this.#clocks.now();
    const [earliestMs, latestMs] = [wallMs - after, wallMs + 1 - before];
    this.#originMs = Math.min(Math.max(this.#originMs, earliestMs), latestMs);
  }
}
