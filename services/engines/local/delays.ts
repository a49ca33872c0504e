// Delays in whole steps: proto/NUMERICS.md, "Delay".
import type { FlatNode } from './flatten.ts';
import { MAX_GRAPH_ELEMENTS } from './limits.ts';
import { ModelError } from './model-error.ts';

/** Rounds the delay of each element to the nearest number of steps; a tie goes to the larger. */
export function nodeDelays(node: FlatNode, size: number, dt: number): Uint32Array | undefined {
  if (node.type !== 'Delay') return undefined;
  const steps = Array.from(node.parameters.get('delay')!.values, (delay) => Math.round(delay / dt));
  const bad = steps.findIndex((count) => !(count <= MAX_GRAPH_ELEMENTS));
  if (bad >= 0) {
    const problem = `gives a delay of more steps than the limit of ${MAX_GRAPH_ELEMENTS} at index ${bad}`;
    throw ModelError.field(node.name, 'delay', problem);
  }
  return steps.length === 1 ? new Uint32Array(size).fill(steps[0]!) : Uint32Array.from(steps);
}

/** Number of stored rows of inputs: the largest delay. */
export function delayRows(delays: Uint32Array | undefined): number {
  return delays?.reduce((most, steps) => Math.max(most, steps), 0) ?? 0;
}

/** Elements of those rows. */
export function delayedElements(delays: Uint32Array | undefined): number {
  return delays === undefined ? 0 : delayRows(delays) * delays.length;
}
