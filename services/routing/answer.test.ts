import { describe, expect, it } from '@jest/globals';
import type { Inference } from '../core/inference.ts';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { type Answer, detailNumbers, sizeOf, withOwnBytes } from './answer.ts';

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

describe('withOwnBytes', () => {
  const message = new Uint8Array(1_000).fill(7);
  const inference = fakeInference({ spikeCounts: [1, 2], potentials: message.subarray(10, 18) });

  it('copies the bytes out of the message, and keeps everything else', () => {
    const answer = { label: 'cat', inference } as unknown as Answer;
    const own = withOwnBytes(answer);
    expect(own).toEqual(answer);
    expect(own.inference.potentials.buffer.byteLength).toBe(8);
  });

  it('copies the readout of each step', () => {
    const answer = { inference: { ...inference, readoutPerStep: message.subarray(20, 60) } } as unknown as Answer;
    const own = withOwnBytes(answer);
    expect(own).toEqual(answer);
    expect(own.inference.readoutPerStep!.buffer.byteLength).toBe(40);
  });
});
