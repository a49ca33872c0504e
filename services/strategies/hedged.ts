import { fastest } from './fastest.ts';
import type { Strategy } from './strategy.ts';

/** As FASTEST: whoever should answer soonest is asked first, and the next soonest if that takes longer than most. */
export const hedged: Strategy = (input) => fastest(input);
