// A strategy is a pure function: what is known of the engines in, the order in which to ask them out.

export interface EngineView {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
}

export interface StrategyInput<E extends EngineView> {
  /** Ready engines that hold the model, in pool order. At least one. */
  readonly engines: readonly E[];
  /** How many requests this strategy has planned before, 0 for the first. */
  readonly turn: number;
  /** Setting `local_first_share`, 0 to 1. */
  readonly localShare: number;
}

/** Every engine once: the first is asked, each next one only if the one before failed. */
export type Strategy = <E extends EngineView>(input: StrategyInput<E>) => readonly E[];

/** `engines` from place `first` on, around. */
export function rotate<E>(engines: readonly E[], first: number): readonly E[] {
  const start = engines.length === 0 ? 0 : first % engines.length;
  return start === 0 ? engines : [...engines.slice(start), ...engines.slice(0, start)];
}
