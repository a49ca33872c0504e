import { describe, expect, it } from '@jest/globals';
import { matrix } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import type { LayerActivity } from '../../core/inference.ts';
import { Interrupt } from './interrupt.ts';
import { LayerRecorder } from './layer-recorder.ts';
import { type RunResult, Simulator } from './simulator.ts';

const neuron = (threshold: number) => node('IF', { r: 1, v_threshold: threshold });
/** "fast" fires at every non-zero input, "slow" at every third spike that "pair" adds up. */
const twoLayers = chain(2, 1, {
  fast: neuron(0.5),
  pair: node('Linear', { weight: matrix([1, 1]) }),
  slow: neuron(2.5),
});

function record(
  input: readonly number[],
  steps: number,
  detail: 'LAYERS' | 'RASTER',
): { run: RunResult; layers: LayerActivity[] } {
  const simulator = new Simulator(compileGraph(twoLayers, `dt: 1\nsteps: ${steps}`));
  const recorder = new LayerRecorder(simulator.nodes, detail);
  const run = simulator.run(Float32Array.from(input), steps, Interrupt.never(), recorder.record);
  return { run, layers: recorder.layers() };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

describe('LayerRecorder', () => {
  it('records the spikes of each spiking node per step, in order of evaluation', () => {
    const { run, layers } = record([1, 1], 4, 'LAYERS');
    const none = { eventSteps: [], eventNeurons: [], eventsLeftOut: 0 };
    expect(layers).toEqual([
      { node: 'fast', neurons: 2, spikes: 8, spikesPerStep: [2, 2, 2, 2], ...none },
      { node: 'slow', neurons: 1, spikes: 2, spikesPerStep: [0, 1, 0, 1], ...none },
    ]);
    expect(run.totalSpikes).toBe(10);
  });

  it('records step and neuron of each spike for RASTER', () => {
    const [fast, slow] = record([0, 1], 3, 'RASTER').layers;
    expect([fast!.eventSteps, fast!.eventNeurons]).toEqual([
      [0, 1, 2],
      [1, 1, 1],
    ]);
    expect([slow!.eventSteps, slow!.eventNeurons]).toEqual([[2], [0]]);
  });

  it('keeps the first 100,000 events of the run and counts the others', () => {
    const { layers } = record([1, 1], 50_000, 'RASTER');
    expect(sum(layers.map(({ eventSteps }) => eventSteps.length))).toBe(100_000);
    for (const { spikes, eventSteps, eventsLeftOut } of layers) {
      expect([eventSteps.at(-1), eventSteps.length + eventsLeftOut]).toEqual([39_999, spikes]);
      expect(eventsLeftOut).toBeGreaterThan(0);
    }
  });
});
