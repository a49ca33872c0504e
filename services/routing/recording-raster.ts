// The part of two recordings that is shown to people: the spikes of one node around the first difference. Pure,
// bounded.
import type { Recording, RecordedNode } from '../engines/engine.ts';
import { type Comparison, bytesPerStep } from './recording-compare.ts';

const MAX_RASTER_STEPS = 64;
/** A multiple of 8, so that a row is a range of bytes. */
const MAX_RASTER_NEURONS = 256;

/** Of one node. Row by row, a step each, `ceil(neurons / 8)` bytes; neuron k is bit k % 8 of byte k / 8. */
export interface DifferenceRaster {
  readonly node: string;
  readonly firstStep: number;
  readonly steps: number;
  readonly firstNeuron: number;
  readonly neurons: number;
  /** First step at which the node's state differs; undefined: it does not. */
  readonly stateStep: number | undefined;
  readonly spikes: Uint8Array;
  readonly referenceSpikes: Uint8Array;
}

/**
 * The node whose spikes differ first, or else the one whose state differs first. Undefined if that node does not spike,
 * or nothing differs. Call after the comparison.
 */
export function rasterOf(
  { spike, state }: Comparison,
  recording: Recording,
  reference: Recording,
): DifferenceRaster | undefined {
  const location = spike ?? state;
  const index = reference.nodes.findIndex(({ node }) => node === location?.node);
  const [mine, theirs] = [recording.nodes[index], reference.nodes[index]];
  if (location === undefined || mine === undefined || theirs === undefined) return undefined;
  if (mine.spikes.length === 0 || theirs.spikes.length === 0) return undefined;
  const allSteps = Math.min(recording.steps, reference.steps);
  const steps = Math.min(MAX_RASTER_STEPS, allSteps);
  const firstStep = windowStart(location.step, MAX_RASTER_STEPS, allSteps, MAX_RASTER_STEPS / 4);
  const bits = 8 * bytesPerStep(mine.elements);
  const around = windowStart(spike?.neuron ?? 0, MAX_RASTER_NEURONS, bits, MAX_RASTER_NEURONS / 2);
  const firstNeuron = 8 * Math.floor(around / 8);
  const cut = { firstStep, steps, firstNeuron, neurons: Math.min(MAX_RASTER_NEURONS, mine.elements - firstNeuron) };
  return {
    ...cut,
    node: mine.node,
    stateStep: state?.node === mine.node ? state.step : undefined,
    spikes: rowsOf(mine, cut),
    referenceSpikes: rowsOf(theirs, cut),
  };
}

/** Start of a window of `size` in `total`, with up to `before` elements in front of `index`. */
function windowStart(index: number, size: number, total: number, before: number): number {
  return Math.max(0, Math.min(index - before, total - size));
}

type Cut = Pick<DifferenceRaster, 'firstStep' | 'steps' | 'firstNeuron' | 'neurons'>;

/** A copy, so that the recording itself can be released. */
function rowsOf({ elements, spikes }: RecordedNode, { firstStep, steps, firstNeuron, neurons }: Cut): Uint8Array {
  const [rowBytes, cutBytes] = [bytesPerStep(elements), bytesPerStep(neurons)];
  const rows = new Uint8Array(steps * cutBytes);
  for (let step = 0; step < steps; step += 1) {
    const start = (firstStep + step) * rowBytes + firstNeuron / 8;
    rows.set(spikes.subarray(start, start + cutBytes), step * cutBytes);
  }
  return rows;
}
