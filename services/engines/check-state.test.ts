import { describe, expect, it } from '@jest/globals';
import { fakeInference, fakePinned } from '../../test/fakes/fake-engine.ts';
import { fakeState } from '../../test/fakes/fake-state.ts';
import type { Inference, InferenceInput } from '../core/inference.ts';
import { checkAnswer } from './check-answer.ts';
import { checkState } from './check-state.ts';

const MODEL = fakePinned({ spikesPerStep: 10, operationsPerStep: 100 });
const INPUT: InferenceInput = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const ASKED = { ...INPUT, returnState: true };
const BEFORE = { steps: 32, totalSpikes: 300n, synapticOperations: 3_000n, spikeCounts: [30, 0] };
const other = fakeState(fakeInference({ spikeCounts: [2, 1] }), MODEL.modelId);

function answer(over: Partial<Inference> = {}): Inference {
  return fakeState(fakeInference(over), MODEL.modelId);
}

describe('checkState', () => {
  it('accepts the state of a full answer or of digests only', () => {
    expect(checkState(answer(), ASKED, MODEL.modelId)).toBe('');
    expect(checkState({ ...answer(), spikeCounts: [], potentials: Buffer.alloc(0) }, ASKED, MODEL.modelId)).toBe('');
  });

  it.each<[string, InferenceInput, Partial<Inference>]>([
    ['a state that was not asked for', INPUT, {}],
    ['no state, though it was asked for', ASKED, { state: undefined }],
    ['no state, though it was asked for', ASKED, { state: Buffer.from('not a state') }],
    ['a state that does not match the answer', ASKED, { state: other.state }],
    ['a state that does not match the answer', ASKED, { steps: 17 }],
    ['a state that does not match the answer', ASKED, { totalSpikes: 5n }],
    ['a state that does not match the answer', ASKED, { synapticOperations: 5n }],
    ['a state that does not match the answer', ASKED, { stateDigest: 5n }],
    ['a state that does not match the answer', ASKED, { spikeCounts: [1, 3] }],
    ['a state that does not match the answer', ASKED, { potentials: Buffer.alloc(8, 1) }],
    ['a state that does not match the answer', ASKED, { spikeCounts: Array<number>(50).fill(0) }],
    ['a state that does not match the answer', ASKED, { potentials: Buffer.alloc(12) }],
  ])('refuses %s', (problem, request, over) => {
    expect(checkState({ ...answer(), ...over }, request, MODEL.modelId)).toBe(problem);
  });

  it('refuses a state of another model or with a wrong checksum', () => {
    const { state } = answer();
    const flipped = Uint8Array.from(state!);
    flipped[flipped.length - 1]! ^= 1;
    expect(checkState(answer(), ASKED, 8n)).toBe('a state that does not match the answer');
    expect(checkState({ ...answer(), state: flipped }, ASKED, MODEL.modelId)).toBe(
      'a state that does not match the answer',
    );
  });
});

describe('checkAnswer for an input with a state', () => {
  const { state } = answer(BEFORE);
  const check = (over: Partial<Inference>): string => checkAnswer(fakeInference(over), { ...INPUT, state }, MODEL);
  const after = { ...BEFORE, steps: 48 };

  it('accepts the steps and totals of the whole session', () => {
    expect(check(after)).toBe('');
    expect(check({ ...after, totalSpikes: 460n, synapticOperations: 4_600n })).toBe('');
  });

  it.each<[string, Partial<Inference>]>([
    ['a different number of steps', { steps: 16 }],
    ['more spikes than the model can have', { ...after, totalSpikes: 461n }],
    ['more spikes than the model can have', { ...after, totalSpikes: 299n }],
    ['more synaptic operations than the model can have', { ...after, synapticOperations: 4_601n }],
  ])('refuses %s', (problem, over) => {
    expect(check(over)).toBe(problem);
  });
});
