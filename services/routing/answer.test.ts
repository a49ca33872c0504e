import { describe, expect, it } from '@jest/globals';
import type { Inference } from '../core/inference.ts';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { detailNumbers, sizeOf } from './answer.ts';

/** The size of an answer of so many classes. */
function sizeWith(classes: number): number {
  const list = Array<number>(classes).fill(0);
  const inference = fakeInference({ spikeCounts: list, potentials: new Uint8Array(4 * classes) });
  return sizeOf({ scores: list, inference, ballots: [], isFirm: true });
}

describe('sizeOf', () => {
  it('counts a score, spikes and a potential for each class, in memory and encoded', () => {
    expect(sizeWith(1_001) - sizeWith(1)).toBe(1_000 * 3 * (8 + 5));
  });
});

describe('detailNumbers', () => {
  it('counts the spikes of each step, two numbers for each event, and the readout of each step', () => {
    const layer = { nodeId: 1, spikesPerStep: [1, 2, 3], eventSteps: [0, 4], eventNeurons: [5, 6] };
    const layers = [layer, layer] as unknown as NonNullable<Inference['layers']>;
    expect(detailNumbers({ layers, readoutPerStep: new Uint8Array(40) })).toBe(2 * (3 + 2 * 2) + 10);
    expect(detailNumbers({ layers: undefined, readoutPerStep: undefined })).toBe(0);
  });
});
