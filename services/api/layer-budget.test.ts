import { describe, expect, it } from '@jest/globals';
import type { LayerActivity } from '../core/inference.ts';
import { RouterError } from '../core/errors.ts';
import { LayerBudget, MAX_BATCH_LAYER_NUMBERS } from './layer-budget.ts';

const layers = (counts: number): { layers: LayerActivity[] } => ({
  layers: [
    {
      node: 'lif',
      neurons: 1,
      spikes: 0,
      spikesPerStep: Array<number>(counts).fill(0),
      eventSteps: [],
      eventNeurons: [],
      eventsLeftOut: 0,
    },
  ],
});

describe('LayerBudget', () => {
  it('refuses an answer above the remaining numbers and accepts a smaller one', () => {
    const room = new LayerBudget();
    room.take(layers(MAX_BATCH_LAYER_NUMBERS - 10));
    expect(() => room.take(layers(11))).toThrow(RouterError);
    expect(() => room.take(layers(11))).toThrow(
      '10 are left for the 11 of this one; send fewer in a batch, or use ReasonStream',
    );
    room.take(layers(10));
  });

  it('accepts answers without layers when it is used up', () => {
    const room = new LayerBudget();
    room.take(layers(MAX_BATCH_LAYER_NUMBERS));
    expect(() => room.take({})).not.toThrow();
  });
});
