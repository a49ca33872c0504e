// A strategy is a pure function: what is known of the engines in, the order in which to ask them out.

export interface EngineView {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  /** Expected time to an answer if it were asked now, milliseconds; 0: not known yet. */
  readonly expectedMs: number;
  /** Time since a request to it ended, in whatever way, milliseconds; Infinity: none has. */
  readonly idleMs: number;
  /** Its last requests had no answer. */
  readonly isFailing: boolean;
  /** Unanswered requests. */
  readonly inFlight: number;
}

export interface StrategyInput<E extends EngineView> {
  /** Engines that hold the model and may be asked, in pool order. At least one. */
  readonly engines: readonly E[];
  /** How many requests this strategy has planned before, 0 for the first. */
  readonly turn: number;
  /** Setting `local_first_share`: what LOCAL_FIRST gives to the local engine, 0 to 1. */
  readonly localFirstShare: number;
  /** Setting `sidecar_first_share`: what SIDECAR_FIRST gives to the sidecars, 0 to 1. */
  readonly sidecarFirstShare: number;
  /** Uniform, 0 ≤ r < 1. */
  readonly random: () => number;
  /** 64-bit hash of model and input: equal for equal questions. Computed only when asked for. */
  readonly questionHash: () => bigint;
}

/**
 * Every engine once: the first is asked, each next one only if the one before failed. A voting strategy's plan is asked
 * several at once, from the front.
 */
export type Strategy = <E extends EngineView>(input: StrategyInput<E>) => readonly E[];

export function ofKind<E extends EngineView>(engines: readonly E[], kind: EngineView['kind']): readonly E[] {
  return engines.filter((engine) => engine.kind === kind);
}

/** `engines` from place `first` on, around. */
export function rotate<E>(engines: readonly E[], first: number): readonly E[] {
  const start = engines.length === 0 ? 0 : first % engines.length;
  return start === 0 ? engines : [...engines.slice(start), ...engines.slice(0, start)];
}
