// Layers are no part of a digest, so no vote compares them. Here they are checked against the run and against themselves.
import type { Detail, Inference, LayerActivity } from '../core/inference.ts';
import { MAX_LAYER_COUNTS, MAX_RASTER_EVENTS } from './engine.ts';

/** Longest name of a node, characters. */
const MAX_NAME_CHARS = 1_024;

/** The sizes of the model that ran: `nodes` in all, and the most spikes that one step can have. */
export interface LayerLimits {
  readonly nodes: number;
  readonly spikesPerStep: number;
}

/** What is wrong with the layers of an answer; empty: nothing. Bounds come first: every loop below is bounded by them. */
export function checkLayers({ layers, steps, totalSpikes }: Inference, detail: Detail, limits: LayerLimits): string {
  if (layers === undefined || layers.length === 0) return '';
  if (detail === 'SUMMARY') return 'layers that were not asked for';
  if (layers.length > limits.nodes) return 'more layers than the model has nodes';
  let [counts, events, spikes, neurons] = [0, 0, 0, 0];
  for (const layer of layers) {
    counts += layer.spikesPerStep.length;
    events += layer.eventSteps.length + layer.eventNeurons.length;
    neurons += layer.neurons;
  }
  if (counts > MAX_LAYER_COUNTS) return 'more counts in layers than an answer may have';
  if (events > 2 * MAX_RASTER_EVENTS) return 'more events in layers than an answer may have';
  if (neurons > limits.spikesPerStep) return 'more neurons in layers than the model has';
  const names = new Set<string>();
  for (const layer of layers) {
    const problem = checkLayer(layer, steps, detail);
    if (problem !== '') return problem;
    names.add(layer.node);
    spikes += layer.spikes;
  }
  if (names.size < layers.length) return 'two layers of one name';
  // They are whole numbers, for the steps add up to them.
  return BigInt(spikes) === totalSpikes ? '' : 'layers whose spikes are not those of the run';
}

function checkLayer(layer: LayerActivity, steps: number, detail: Detail): string {
  const { node, neurons, spikes, spikesPerStep, eventSteps, eventNeurons, eventsLeftOut } = layer;
  if (node === '' || node.length > MAX_NAME_CHARS) return 'a layer whose name is empty or too long';
  if (spikesPerStep.length !== steps) return 'a layer without a count for each step';
  if (!spikesPerStep.every((count) => count <= neurons)) return 'a layer with more spikes in a step than neurons';
  if (sum(spikesPerStep) !== spikes) return 'a layer whose steps do not add up to its spikes';
  if (eventSteps.length !== eventNeurons.length) return 'events without a step and a neuron each';
  const told = eventSteps.length + eventsLeftOut;
  if (detail !== 'RASTER') return told === 0 ? '' : 'events that were not asked for';
  if (told !== spikes) return 'events that do not add up to the spikes of their layer';
  return checkEvents(layer);
}

/** They ascend by step, then by neuron, and no step has more of them than spikes. */
function checkEvents({ neurons, spikesPerStep, eventSteps, eventNeurons }: LayerActivity): string {
  let [lastStep, lastNeuron, inStep] = [-1, -1, 0];
  for (const [at, step] of eventSteps.entries()) {
    const neuron = eventNeurons[at]!;
    if (step >= spikesPerStep.length) return 'an event after the last step';
    if (neuron >= neurons) return 'an event of a neuron that the layer does not have';
    if (step < lastStep || (step === lastStep && neuron <= lastNeuron)) return 'events that are out of order';
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
