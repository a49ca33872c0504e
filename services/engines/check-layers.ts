// The layers of an answer are checked against the model, the run and themselves. Whether they are the right ones only other
// engines can say: detail-digest.ts.
import type { Detail, Inference, LayerActivity } from '../core/inference.ts';
import { MAX_LAYER_COUNTS, MAX_RASTER_EVENTS } from './engine.ts';
import type { PinnedModel } from './model-pins.ts';

export interface DetailAsked {
  readonly detail: Detail;
  /** They may be left out. */
  readonly digestOnly?: boolean | undefined;
}

/** `steps` and `totalSpikes` are those of the input alone, without a session's before it. */
type RunOfLayers = Pick<Inference, 'layers' | 'steps' | 'totalSpikes'>;

/** What is wrong with the layers of an answer; empty: nothing. Bounds come first: every loop below is bounded by them. */
export function checkLayers(
  { layers = [], steps, totalSpikes }: RunOfLayers,
  { detail, digestOnly = false }: DetailAsked,
  model: Pick<PinnedModel, 'layers' | 'spikesPerNeuron'>,
): string {
  const areAsked = detail === 'LAYERS' || detail === 'RASTER';
  const mayBeNone = !areAsked || digestOnly || model.layers.length === 0;
  if (layers.length === 0) return mayBeNone ? '' : 'no layers, though they were asked for';
  if (!areAsked) return 'layers that were not asked for';
  if (layers.length !== model.layers.length) return 'another number of layers than the model has';
  let [counts, events, spikes] = [0, 0, 0];
  for (const [index, layer] of layers.entries()) {
    const { node, neurons } = model.layers[index]!;
    if (layer.node !== node || layer.neurons !== neurons) return 'a layer that the model does not have there';
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
  // They are whole numbers, for the steps add up to them.
  return BigInt(spikes) === totalSpikes ? '' : 'layers whose spikes are not those of the run';
}

function checkLayer(layer: LayerActivity, steps: number, detail: Detail, spikesPerNeuron: number): string {
  const { neurons, spikes, spikesPerStep, eventSteps, eventNeurons, eventsLeftOut } = layer;
  if (spikesPerStep.length !== steps) return 'a layer without a count for each step';
  if (!spikesPerStep.every((count) => count <= neurons * spikesPerNeuron))
    return 'a layer with more spikes in a step than its neurons can have';
  if (sum(spikesPerStep) !== spikes) return 'a layer whose steps do not add up to its spikes';
  if (eventSteps.length !== eventNeurons.length) return 'events without a step and a neuron each';
  const eventCount = eventSteps.length + eventsLeftOut;
  if (detail !== 'RASTER') return eventCount === 0 ? '' : 'events that were not asked for';
  if (eventCount !== spikes) return 'events that do not add up to the spikes of their layer';
  return checkEvents(layer, spikesPerNeuron);
}

/** They ascend by step, then by neuron (one that fires several times at once comes as often), and no step has more of them than spikes. */
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
