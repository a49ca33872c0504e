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

describe('the room for layers in a batch’s answer', () => {
  it('is for so many numbers; who comes above is told what to do, and a smaller one may still fit', () => {
    const room = new LayerBudget();
    room.take(layers(MAX_BATCH_LAYER_NUMBERS - 10));
    expect(() => room.take(layers(11))).toThrow(RouterError);
    expect(() => room.take(layers(11))).toThrow(
      '10 are left for the 11 of this one; send fewer in a batch, or use ReasonStream',
    );
    room.take(layers(10));
  });

  it('is of no account to answers without layers', () => {
    const room = new LayerBudget();
    room.take(layers(MAX_BATCH_LAYER_NUMBERS));
    expect(() => room.take({})).not.toThrow();
  });
});
