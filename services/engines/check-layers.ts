// Checks the layers of an answer against the model, the run and themselves. Only other engines can tell whether their
// values are correct: detail-digest.ts.
import type { Detail, Inference, LayerActivity } from '../core/inference.ts';
import { MAX_LAYER_COUNTS, MAX_RASTER_EVENTS } from './engine.ts';
import type { PinnedModel } from './model-pins.ts';

export interface DetailAsked {
  readonly detail: Detail;
  /** They may be missing. */
  readonly digestOnly?: boolean | undefined;
}

/** `steps` and `totalSpikes`: of this input alone, without the session's earlier messages. */
type RunOfLayers = Pick<Inference, 'layers' | 'steps' | 'totalSpikes'>;

/** Returns the problem; empty: none. Bounds are checked first, because they limit every loop below. */
export function checkLayers(
  { layers = [], steps, totalSpikes }: RunOfLayers,
  { detail, digestOnly = false }: DetailAsked,
  model: Pick<PinnedModel, 'layers' | 'spikesPerNeuron'>,
): string {
  const areAsked = detail === 'LAYERS' || detail === 'RASTER';
  const mayBeNone = !areAsked || digestOnly || model.layers.length === 0;
  if (layers.length === 0) return mayBeNone ? '' : 'no layers, though they were asked for';
  if (!areAsked) return 'layers that were not asked for';
  if (layers.length !== model.layers.length) return 'a number of layers that is not the model’s';
  let [counts, events, spikes] = [0, 0, 0];
  for (const [index, layer] of layers.entries()) {
    const { node, neurons } = model.layers[index]!;
    if (layer.node !== node || layer.neurons !== neurons) return 'a layer that does not match the model';
    counts += layer.spikesPerStep.length;
    events += layer.eventSteps.length + layer.eventNeurons.length;
  }
  if (counts > MAX_LAYER_COUNTS) return 'more counts in layers than an answer may have';
  if (events > 2 * MAX_RASTER_EVENTS) return 'more events in layers than an answer may have';
  for (const layer of layers) {
    const problem = checkLayer(layer, steps, detail, model.spikesPerNeuron);
    if (problem !== '') return problem;
    spikes += layer.spikes;
  }
  // They are integers, because the steps add up to them.
  return BigInt(spikes) === totalSpikes ? '' : 'layers whose spikes do not add up to those of the run';
}

function checkLayer(layer: LayerActivity, steps: number, detail: Detail, spikesPerNeuron: number): string {
  const { neurons, spikes, spikesPerStep, eventSteps, eventNeurons, eventsLeftOut } = layer;
  if (spikesPerStep.length !== steps) return 'a layer without a count for each step';
  if (!spikesPerStep.every((count) => count <= neurons * spikesPerNeuron))
    return 'a layer with more spikes in a step than its neurons can have';
  if (sum(spikesPerStep) !== spikes) return 'a layer whose steps do not add up to its spikes';
  if (eventSteps.length !== eventNeurons.length) return 'events that lack a step or a neuron';
  const eventCount = eventSteps.length + eventsLeftOut;
  if (detail !== 'RASTER') return eventCount === 0 ? '' : 'events that were not asked for';
  if (eventCount !== spikes) return 'events that do not add up to the spikes of their layer';
  return checkEvents(layer, spikesPerNeuron);
}

/**
 * Events ascend by step, then by neuron (a neuron that fires several times in a step is repeated), and no step has more
 * events than spikes.
 */
function checkEvents(
  { neurons, spikesPerStep, eventSteps, eventNeurons }: LayerActivity,
  spikesPerNeuron: number,
): string {
  const nextNeuron = spikesPerNeuron > 1 ? 0 : 1;
  let [lastStep, lastNeuron, inStep] = [-1, -1, 0];
  for (const [at, step] of eventSteps.entries()) {
    const neuron = eventNeurons[at]!;
    if (step >= spikesPerStep.length) return 'an event after the last step';
    if (neuron >= neurons) return 'an event of a neuron that the layer does not have';
    if (step < lastStep || (step === lastStep && neuron < lastNeuron + nextNeuron))
      return 'events that are out of order';
    inStep = step === lastStep ? inStep + 1 : 1;
    if (inStep > spikesPerStep[step]!) return 'more events in a step than spikes';
    [lastStep, lastNeuron] = [step, neuron];
  }
  return '';
}

function sum(counts: readonly number[]): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
