// Compares the rows of two runs. It compares ratios only, since absolute figures differ between machines.
import { table } from '../../../services/cli/table.ts';
import type { Row } from '../row.ts';

/** A ratio that moves by less is noise here. */
const NOISE = 0.1;

export function compareRows(now: readonly Row[], before: readonly Row[]): string {
  const rows = now.flatMap(({ what, ratio }) => {
    const then = before.find((each) => each.what === what)?.ratio;
    if (then === undefined) return [];
    const change = ratio / then - 1;
    const sign = change >= 0 ? '+' : '−';
    const note = Math.abs(change) < NOISE ? '' : 'changed';
    return [[what, then.toFixed(2), ratio.toFixed(2), `${sign}${(Math.abs(change) * 100).toFixed(0)} %`, note]];
  });
  return table(['RATIO', 'BEFORE', 'NOW', 'CHANGE', ''], rows);
}
