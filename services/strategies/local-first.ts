import { type Strategy, rotate } from './strategy.ts';

/**
 * The local engine gets `localShare` of the requests, spread evenly (8 of every 10 at 0.8, not 800 in a row);
 * the sidecars share the rest in turn. Whoever is asked first, the others stand by in case it fails.
 */
export const localFirst: Strategy = ({ engines, turn, localShare }) => {
  const local = engines.filter((engine) => engine.kind === 'local');
  const sidecars = engines.filter((engine) => engine.kind === 'sidecar');
  const localBefore = Math.floor(turn * localShare);
  const isLocalTurn = Math.floor((turn + 1) * localShare) > localBefore;
  const rotated = rotate(sidecars, turn - localBefore);
  return isLocalTurn ? [...local, ...rotated] : [...rotated, ...local];
};
