import { type Strategy, rotate } from './strategy.ts';

/** Every engine in turn. */
export const roundRobin: Strategy = ({ engines, turn }) => rotate(engines, turn);
