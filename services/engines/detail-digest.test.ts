import { describe, expect, it } from '@jest/globals';
import type { LayerActivity } from '../core/inference.ts';
import { detailDigest } from './detail-digest.ts';

const LAYER: LayerActivity = {
  ...{ node: 'lif', neurons: 4, spikes: 3, spikesPerStep: [1, 2] },
  ...{ eventSteps: [0, 1, 1], eventNeurons: [3, 0, 2], eventsLeftOut: 0 },
};

const of = (layers: readonly LayerActivity[]): bigint | undefined => detailDigest({ layers });

describe('detailDigest', () => {
  it('is equal for equal layers, and undefined without layers', () => {
    expect(of([structuredClone(LAYER)])).toBe(of([LAYER]));
    expect([detailDigest({}), of([])]).toEqual([undefined, undefined]);
  });

  it.each<[string, Partial<LayerActivity>]>([
    ['name', { node: 'fil' }],
    ['size', { neurons: 5 }],
    ['order of steps', { spikesPerStep: [2, 1] }],
    ['events', { eventNeurons: [2, 0, 2] }],
    ['number of events', { eventSteps: [0, 1], eventNeurons: [3, 0] }],
  ])('changes with the layer’s %s', (_, over) => {
    expect(of([{ ...LAYER, ...over }])).not.toBe(of([LAYER]));
  });

  it('changes with the order of the layers', () => {
    const other = { ...LAYER, node: 'other' };
    expect(of([LAYER, other])).not.toBe(of([other, LAYER]));
  });

  it('depends on the readout of each step', () => {
    const [a, b] = [Buffer.from([1, 2, 3, 4]), Buffer.from([1, 2, 3, 5])];
    expect(detailDigest({ readoutPerStep: Buffer.from(a) })).toBe(detailDigest({ readoutPerStep: a }));
    expect(detailDigest({ readoutPerStep: b })).not.toBe(detailDigest({ readoutPerStep: a }));
  });
});
