import { describe, expect, it } from '@jest/globals';
import type { Answer } from './messages.ts';
import { packAnswers, unpackAnswers } from './packed-answers.ts';

function answer(slot: number, outputs: number, more: object = {}): Answer {
  const outcome = {
    steps: 16,
    spikeCounts: Uint32Array.from({ length: outputs }, (_, k) => 2 ** 32 - 1 - k),
    potentials: Float32Array.from({ length: outputs }, (_, k) => k / 3),
    totalSpikes: 2 ** 52,
    synapticOperations: 2 ** 53 - 1,
    stateDigest: 2n ** 64n - 1n,
    readoutDigest: 7n,
    ...more,
  };
  return { slot, recording: 2 ** 40 + slot, queueUs: 0.25, computeUs: 31.5, outcome };
}

const failure: Answer = {
  ...answer(9, 0),
  outcome: { kind: 'NON_FINITE', message: 'node "n" is not finite', metadata: { step: '3' } },
};

/** As they cross to another thread. */
function sent(answers: readonly Answer[]): readonly Answer[] {
  const packed = packAnswers(answers);
  return unpackAnswers(structuredClone(packed, { transfer: [packed.bytes] }));
}

describe('answers of a simulation worker', () => {
  it('arrive as they were sent, whatever their number of outputs', () => {
    const answers = [answer(0, 3), answer(1, 0), answer(2, 45)];
    expect(sent(answers)).toEqual(answers);
  });

  it('keep failures, states, layers and readouts of each step', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const others = [failure, answer(1, 2, { state: bytes }), answer(2, 2, { readoutPerStep: bytes })];
    const layers = answer(3, 2, { layers: [{ node: 'n', spikes: [1, 2], events: [] }] });
    expect(sent([...others, answer(4, 2), layers])).toEqual([answer(4, 2), ...others, layers]);
  });

  it('do not share memory, so each can be kept alone', () => {
    const [first, second] = sent([answer(0, 2), answer(1, 2)]).map(({ outcome }) => outcome);
    expect(first).toMatchObject({ potentials: { byteOffset: 0 } });
    expect(second).toMatchObject({ potentials: { byteOffset: 0 } });
  });

  it('may be none', () => {
    expect(sent([])).toEqual([]);
  });
});
