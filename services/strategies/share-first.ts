import { rotate } from './strategy.ts';

/**
 * `favoured` is asked first in `share` of the turns, spread evenly (8 of every 10 at 0.8, not 800 in a row), and
 * `others` in the rest; within each, in turn. All other engines follow, in case the first one fails. If only one of the
 * two exists, it gets every turn.
 */
export function shareFirst<E>(favoured: readonly E[], others: readonly E[], share: number, turn: number): readonly E[] {
  if (favoured.length === 0 || others.length === 0) return rotate([...favoured, ...others], turn);
  // Rounded, not truncated, so that shares that binary fractions only approximate come out exact.
  const favouredBefore = Math.round(turn * share);
  const isFavouredTurn = Math.round((turn + 1) * share) > favouredBefore;
  const first = rotate(favoured, favouredBefore);
  const second = rotate(others, turn - favouredBefore);
  return isFavouredTurn ? [...first, ...second] : [...second, ...first];
}
