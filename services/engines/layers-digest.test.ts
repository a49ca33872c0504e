import { describe, expect, it } from '@jest/globals';
import type { LayerActivity } from '../core/inference.ts';
import { layersDigest } from './layers-digest.ts';

const LAYER: LayerActivity = {
  ...{ node: 'lif', neurons: 4, spikes: 3, spikesPerStep: [1, 2] },
  ...{ eventSteps: [0, 1, 1], eventNeurons: [3, 0, 2], eventsLeftOut: 0 },
};

describe('the digest of layers', () => {
  it('is the same for the same layers, and there is none without layers', () => {
    expect(layersDigest([structuredClone(LAYER)])).toBe(layersDigest([LAYER]));
    expect([layersDigest(undefined), layersDigest([])]).toEqual([undefined, undefined]);
  });

  it.each<[string, Partial<LayerActivity>]>([
    ['name', { node: 'fil' }],
    ['size', { neurons: 5 }],
    ['order of steps', { spikesPerStep: [2, 1] }],
    ['events', { eventNeurons: [2, 0, 2] }],
    ['number of events', { eventSteps: [0, 1], eventNeurons: [3, 0] }],
  ])('is another one for another %s', (_, over) => {
    expect(layersDigest([{ ...LAYER, ...over }])).not.toBe(layersDigest([LAYER]));
  });

  it('depends on which layer comes first', () => {
    const other = { ...LAYER, node: 'other' };
    expect(layersDigest([LAYER, other])).not.toBe(layersDigest([other, LAYER]));
  });
});
