// One line a strategy.
import { affinity } from './affinity.ts';
import { fastest } from './fastest.ts';
import { hedged } from './hedged.ts';
import { localFirst } from './local-first.ts';
import { redundant } from './redundant.ts';
import { roundRobin } from './round-robin.ts';
import { sidecarFirst } from './sidecar-first.ts';
import type { Strategy } from './strategy.ts';

export const STRATEGIES = {
  ROUND_ROBIN: roundRobin,
  LOCAL_FIRST: localFirst,
  SIDECAR_FIRST: sidecarFirst,
  FASTEST: fastest,
  REDUNDANT: redundant,
  AFFINITY: affinity,
  HEDGED: hedged,
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof STRATEGIES;

/** Strategies whose plan is asked several at once, and the answers compared. */
export const VOTING: ReadonlySet<StrategyName> = new Set<StrategyName>(['REDUNDANT']);

/** Strategies whose second engine is asked when the first takes longer than most do. */
export const HEDGING: ReadonlySet<StrategyName> = new Set<StrategyName>(['HEDGED']);
