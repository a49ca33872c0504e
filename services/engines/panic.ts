// When breakers are not to be believed: where most of a model's engines are held back by theirs, more likely something
// else is wrong than all of them at once (the network, the requests, this very machine), and asking no engine would turn a
// false alarm into an outage. So they are all asked then ("panic threshold" in Envoy).
import type { BreakerState } from './breaker.ts';
import type { EngineState } from '../core/engine-state.ts';

interface Panicker {
  readonly state: EngineState;
  readonly breaker: { readonly state: BreakerState };
  isPanicking: boolean;
}

export interface PanicEvent {
  /** "name/version". */
  readonly model: string;
  readonly isPanicking: boolean;
  /** Engines that hold it and are connected, and those of them whose breaker is closed. */
  readonly connected: number;
  readonly closed: number;
}

/** One open breaker alone is that engine's own affair: there is nothing to compare it with, and it is soon tried. */
const MIN_HELD_BACK = 2;

export class Panic {
  #percent: number;
  readonly #onChange: (event: PanicEvent) => void;
  #models: ReadonlySet<string> = new Set();

  /** `percent`: fewer closed breakers than this are a panic; 0: never. */
  constructor(percent: number, onChange: (event: PanicEvent) => void) {
    this.#percent = percent;
    this.#onChange = onChange;
  }

  configure(percent: number): void {
    this.#percent = percent;
  }

  has(model: string): boolean {
    return this.#models.has(model);
  }

  /** To be called whenever a breaker, or who serves what, has changed. */
  check(served: ReadonlyMap<string, { readonly engines: readonly Panicker[] }>, all: readonly Panicker[]): void {
    const before = this.#models;
    const now = new Set<string>();
    for (const engine of all) engine.isPanicking = false;
    for (const [model, { engines }] of served) {
      // What is down, drained or kept out could not be asked in a panic either.
      const connected = engines.filter(({ state }) => state === 'READY');
      const closed = connected.filter(({ breaker }) => breaker.state === 'CLOSED').length;
      const isPanicking = connected.length - closed >= MIN_HELD_BACK && closed * 100 < this.#percent * connected.length;
      if (isPanicking) {
        now.add(model);
        for (const engine of connected) engine.isPanicking = true;
      }
      if (isPanicking !== before.has(model)) {
        this.#onChange({ model, isPanicking, connected: connected.length, closed });
      }
    }
    this.#models = now;
  }
}
