// Layers are no part of a digest, so no vote looks at them: whether they can be at all is seen here.
import type { Inference } from '../../core/inference.ts';
import { MAX_LAYER_COUNTS, MAX_RASTER_EVENTS } from '../engine.ts';

/** What is wrong with them; empty: nothing. Their spikes add up to the run's, which the digests cover. */
export function checkLayers({ layers, steps, totalSpikes }: Inference): string {
  if (layers === undefined) return '';
  let [counts, events, spikes] = [0, 0, 0];
  for (const layer of layers) {
    const listed = layer.eventSteps.length;
    if (layer.spikesPerStep.length !== steps) return `layer "${layer.node}" has not a count for each step`;
    if (sum(layer.spikesPerStep) !== layer.spikes) return `the steps of layer "${layer.node}" do not add up`;
    if (layer.eventNeurons.length !== listed) return `layer "${layer.node}" has not a step and a neuron for each event`;
    if (listed + layer.eventsLeftOut > 0 && listed + layer.eventsLeftOut !== layer.spikes) {
      return `the events of layer "${layer.node}" do not add up`;
    }
    counts += steps;
    events += listed;
    spikes += layer.spikes;
  }
  if (counts > MAX_LAYER_COUNTS || events > MAX_RASTER_EVENTS) return 'they are more than was asked for';
  return BigInt(spikes) === totalSpikes ? '' : `they have ${spikes} spikes, the run ${totalSpikes}`;
}

function sum(counts: readonly number[]): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
