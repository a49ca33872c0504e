import xxhash from 'xxhash-wasm';
import type { Strategy } from './strategy.ts';

const { h64 } = await xxhash();

/**
 * Equal questions go to the same engine, by rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998): each engine draws a number from the question and its own id, and the largest goes first.
 * An engine that leaves moves only its own questions, each to the engine that stood second; one that comes takes an
 * equal share from each.
 */
export const affinity: Strategy = ({ engines, questionHash }) => {
  const question = questionHash();
  return engines
    .map((engine) => ({ engine, weight: h64(engine.id, question) }))
    .sort((a, b) => (b.weight > a.weight ? 1 : -1))
    .map(({ engine }) => engine);
};
