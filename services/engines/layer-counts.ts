// How much an answer may tell of its layers. The router asks this before it asks an engine, and the local engine as sidecars do.
import { RouterError } from '../core/errors.ts';
import { MAX_LAYER_COUNTS } from './engine.ts';

/** Throws DETAIL_TOO_LARGE where a run of `steps` steps has more counts than an answer may have. */
export function checkLayerCounts(steps: number, layers: number): void {
  if (steps * layers <= MAX_LAYER_COUNTS) return;
  const most = Math.floor(MAX_LAYER_COUNTS / layers);
  const message = `${steps} steps of ${layers} layers are more than ${MAX_LAYER_COUNTS} counts; send a series of ${most} steps at most, or ask for no detail`;
  throw new RouterError('DETAIL_TOO_LARGE', message, { metadata: { max_counts: String(MAX_LAYER_COUNTS) } });
}
