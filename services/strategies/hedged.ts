import { fastest } from './fastest.ts';
import type { Strategy } from './strategy.ts';

/** As FASTEST: the engine that should answer soonest is asked first, and the next one if that takes longer than most. */
export const hedged: Strategy = (input) => fastest(input);
