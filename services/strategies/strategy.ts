// A strategy is a pure function from the engines' measurements to the order in which to ask them.

export interface EngineView {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  /** Expected time to an answer of a request sent now, milliseconds; 0: unknown. */
  readonly expectedMs: number;
  /** Time since the last request to it ended, milliseconds; Infinity: none yet. */
  readonly idleMs: number;
  /** Its last requests had no answer. */
  readonly isFailing: boolean;
  /** Unanswered requests. */
  readonly inFlight: number;
}

export interface StrategyInput<E extends EngineView> {
  /** Usable engines that hold the model, in pool order. At least one. */
  readonly engines: readonly E[];
  /** Number of requests that this strategy has planned before. */
  readonly turn: number;
  /** Setting `local_first_share`: share of the local engine under LOCAL_FIRST, 0 to 1. */
  readonly localFirstShare: number;
  /** Setting `sidecar_first_share`: share of the sidecars under SIDECAR_FIRST, 0 to 1. */
  readonly sidecarFirstShare: number;
  /** Uniform, 0 ≤ r < 1. */
  readonly random: () => number;
  /** 64-bit hash of model and input: equal for equal questions. Computed on demand. */
  readonly questionHash: () => bigint;
}

/**
 * Every engine once: the first is asked, each next one only if the one before failed. A vote asks several at once, from
 * the front.
 */
export type Strategy = <E extends EngineView>(input: StrategyInput<E>) => readonly E[];

export function ofKind<E extends EngineView>(engines: readonly E[], kind: EngineView['kind']): readonly E[] {
  return engines.filter((engine) => engine.kind === kind);
}

/** `engines` rotated to start at index `first`. */
export function rotate<E>(engines: readonly E[], first: number): readonly E[] {
  const start = engines.length === 0 ? 0 : first % engines.length;
  return start === 0 ? engines : [...engines.slice(start), ...engines.slice(0, start)];
}
