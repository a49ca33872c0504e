// Limits the detail in an answer. The router checks this before it asks an engine; the local engine checks it, too,
// like sidecars.
import { RouterError } from '../core/errors.ts';
import type { Detail } from '../core/inference.ts';
import { MAX_LAYER_COUNTS } from './engine.ts';

/** Throws DETAIL_TOO_LARGE if the details of a run of `steps` steps have more numbers than an answer may have. */
export function checkDetailSize(
  detail: Detail,
  steps: number,
  { layers, outputs }: { readonly layers: number; readonly outputs: number },
): void {
  if (detail === 'SUMMARY') return;
  if (detail === 'READOUT') checkNumbers(steps, outputs, 'outputs');
  else checkNumbers(steps, layers, 'layers');
}

function checkNumbers(steps: number, rows: number, what: string): void {
  if (steps * rows <= MAX_LAYER_COUNTS) return;
  const most = Math.floor(MAX_LAYER_COUNTS / rows);
  const message = `${steps} steps of ${rows} ${what} are more than ${MAX_LAYER_COUNTS} numbers; send a series of ${most} steps at most, or request no detail`;
  throw new RouterError('DETAIL_TOO_LARGE', message, { metadata: { max_counts: String(MAX_LAYER_COUNTS) } });
}
