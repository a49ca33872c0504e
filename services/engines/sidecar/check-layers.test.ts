import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../../test/fakes/fake-engine.ts';
import type { LayerActivity } from '../../core/inference.ts';
import { checkLayers } from './check-layers.ts';

function layer(over: Partial<LayerActivity> = {}): LayerActivity {
  return {
    node: 'lif',
    neurons: 4,
    spikes: 3,
    spikesPerStep: [1, 2],
    eventSteps: [0, 1, 1],
    eventNeurons: [3, 0, 2],
    eventsLeftOut: 0,
    ...over,
  };
}

const check = (layers: readonly LayerActivity[] | undefined, totalSpikes = 3n): string =>
  checkLayers(fakeInference({ steps: 2, totalSpikes, layers }));

describe('layers that an engine told', () => {
  it.each([
    ['none', undefined],
    ['a raster', [layer()]],
    ['counts alone', [layer({ eventSteps: [], eventNeurons: [] })]],
    ['a raster cut short', [layer({ eventSteps: [0], eventNeurons: [3], eventsLeftOut: 2 })]],
  ])('may be %s', (_, layers) => {
    expect(check(layers)).toBe('');
  });

  it.each([
    ['more or fewer counts than steps', layer({ spikesPerStep: [3] }), 'not a count for each step'],
    ['counts that do not add up', layer({ spikesPerStep: [1, 1] }), 'the steps of layer "lif" do not add up'],
    ['events without neurons', layer({ eventNeurons: [1] }), 'not a step and a neuron for each event'],
    ['events that do not add up', layer({ eventsLeftOut: 1 }), 'the events of layer "lif" do not add up'],
    [
      'other spikes than the run',
      layer({ spikes: 4, spikesPerStep: [2, 2], eventSteps: [], eventNeurons: [] }),
      '4 spikes, the run 3',
    ],
  ])('cannot have %s', (_, wrong, problem) => {
    expect(check([wrong])).toContain(problem);
  });

  it('cannot be more than anybody asks for', () => {
    const steps = 100_000;
    const quiet = layer({ spikes: 0, spikesPerStep: Array(steps).fill(0), eventSteps: [], eventNeurons: [] });
    const layers = [quiet, quiet, quiet];
    expect(checkLayers(fakeInference({ steps, totalSpikes: 0n, layers: layers.slice(1) }))).toBe('');
    expect(checkLayers(fakeInference({ steps, totalSpikes: 0n, layers }))).toBe('they are more than was asked for');
  });
});
