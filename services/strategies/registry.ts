// One line a strategy.
import { localFirst } from './local-first.ts';
import { roundRobin } from './round-robin.ts';
import type { Strategy } from './strategy.ts';

export const STRATEGIES = {
  ROUND_ROBIN: roundRobin,
  LOCAL_FIRST: localFirst,
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof STRATEGIES;
