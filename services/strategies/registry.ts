// One line for each strategy.
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

/** Strategies that ask several engines at once and compare the answers. */
export const VOTING: ReadonlySet<StrategyName> = new Set<StrategyName>(['REDUNDANT']);

/** Strategies that ask a second engine when the first takes longer than most answers. */
export const HEDGING: ReadonlySet<StrategyName> = new Set<StrategyName>(['HEDGED']);
