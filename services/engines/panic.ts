// Decides when to ignore breakers. If the breakers of most of a model's engines are open, the cause is more likely
// something shared (the network, the requests, this machine) than all engines at once, and sending no requests would
// turn a false alarm into an outage. So all engines are used then ("panic threshold" in Envoy).
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
  /** Connected engines that hold the model, and those of them with a closed breaker. */
  readonly connected: number;
  readonly closed: number;
}

/**
 * A single open breaker never causes a panic: there is nothing to compare it with, and the engine is tried again soon.
 */
const MIN_HELD_BACK = 2;

export class Panic {
  #percent: number;
  readonly #onChange: (event: PanicEvent) => void;
  #models: ReadonlySet<string> = new Set();

  /** `percent`: a lower share of closed breakers is a panic; 0: never. */
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

  /** Call whenever a breaker or the set of serving engines has changed. */
  check(served: ReadonlyMap<string, { readonly engines: readonly Panicker[] }>, all: readonly Panicker[]): void {
    const before = this.#models;
    const now = new Set<string>();
    for (const engine of all) engine.isPanicking = false;
    for (const [model, { engines }] of served) {
      // Engines that are down, drained or quarantined are not used in a panic either.
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
