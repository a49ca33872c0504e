import { describe, expect, it } from '@jest/globals';
import { fakeInference, fakePinned } from '../../test/fakes/fake-engine.ts';
import type { Inference, InferenceInput } from '../core/inference.ts';
import { checkAnswer } from './check-answer.ts';
import type { PinnedModel } from './model-pins.ts';
import { readoutDigest } from './readout-digest.ts';

const INPUT: InferenceInput = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const MODEL = fakePinned({ spikesPerStep: 10, operationsPerStep: 100 });
const EMPTY = { spikeCounts: [], potentials: Buffer.alloc(0) };

function check(
  over: Partial<Inference> = {},
  input: Partial<InferenceInput> = {},
  model: Partial<PinnedModel> = {},
): string {
  return checkAnswer(fakeInference(over), { ...INPUT, ...input }, { ...MODEL, ...model });
}

const floats = (...values: number[]): Uint8Array => Buffer.from(Float32Array.from(values).buffer);

describe('checkAnswer', () => {
  it('accepts a full answer with or without its readout digest', () => {
    expect([check(), check({ readoutDigest: 0n })]).toEqual(['', '']);
  });

  it('accepts the largest values that the model can reach', () => {
    const most = { spikeCounts: [16, 16], totalSpikes: 160n, synapticOperations: 1_600n };
    expect(check({ ...most, potentials: floats(-3.4e38, 1e-45) })).toBe('');
  });

  it('accepts an answer without spikes and operations', () => {
    expect(check({ spikeCounts: [0, 0], totalSpikes: 0n, synapticOperations: 0n })).toBe('');
  });

  it('accepts digests only if only they were requested', () => {
    expect(check({ ...EMPTY, readoutDigest: 5n }, { digestOnly: true })).toBe('');
  });

  it('requires the number of steps of the input series', () => {
    const series = [{ shape: [5, 3] }, { inputKind: 'series' }] as const;
    expect(check({ steps: 5 }, ...series)).toBe('');
    expect(check({ steps: 16 }, ...series)).toBe('a different number of steps');
  });

  it('accepts potentials at an unaligned offset', () => {
    const potentials = new Uint8Array([0xff, ...floats(1, 2), 0xff]).subarray(1, 9);
    expect(check({ potentials })).toBe('');
  });

  it.each<[string, Partial<Inference>]>([
    ['another model version', { modelVersion: 2 }],
    ['a different number of steps', { steps: 15 }],
    ['a number of spike counts that is not the model’s number of outputs', { spikeCounts: [1] }],
    ['a number of spike counts that is not the model’s number of outputs', { spikeCounts: [1, 2, 3] }],
    ['a number of spike counts that is not the model’s number of outputs', { spikeCounts: [] }],
    ['a number of potentials that is not the model’s number of outputs', { potentials: Buffer.alloc(0) }],
    ['a number of potentials that is not the model’s number of outputs', { potentials: Buffer.alloc(7) }],
    ['a number of potentials that is not the model’s number of outputs', { potentials: Buffer.alloc(12) }],
    ['no spike counts and no potentials', { ...EMPTY, readoutDigest: 5n }],
    ['more spikes of an output than possible in this number of steps', { spikeCounts: [17, 0] }],
    ['a readout of each step that was not asked for', { readoutPerStep: Buffer.alloc(4 * 16 * 2) }],
    ['a potential that is not finite', { potentials: floats(0, NaN) }],
    ['a potential that is not finite', { potentials: floats(Infinity, 0) }],
    ['a potential that is not finite', { potentials: floats(0, -Infinity) }],
    ['more spikes than the model can have', { totalSpikes: 161n }],
    ['more spikes than the model can have', { totalSpikes: 2n ** 64n - 1n }],
    ['more synaptic operations than the model can have', { synapticOperations: 2n ** 64n - 1n }],
    ['a readout digest that does not match the returned bytes', { readoutDigest: 5n }],
    ['layers that were not asked for', { layers: [{} as never] }],
  ])('refuses %s', (problem, over) => {
    expect(check(over)).toBe(problem);
  });

  it('accepts several spikes per step if the model allows them', () => {
    const multiple = { spikesPerNeuron: 4095 };
    expect(check({ spikeCounts: [17, 16 * 4095] }, {}, multiple)).toBe('');
    expect(check({ spikeCounts: [0, 16 * 4095 + 1] }, {}, multiple)).not.toBe('');
  });

  it('requires a finite readout of every step if requested', () => {
    const request = { detail: 'READOUT' } as const;
    const readoutPerStep = floats(...Array<number>(32).fill(0.5));
    expect(check({ readoutPerStep }, request)).toBe('');
    expect(check({}, request)).toBe('no readout of each step, though it was asked for');
    expect(check({ readoutPerStep: readoutPerStep.subarray(8) }, request)).toMatch('whose size is not');
    expect(check({ readoutPerStep: floats(NaN, ...Array<number>(31).fill(0)) }, request)).toMatch('not finite');
  });

  it('refuses spikes if the readout node does not spike', () => {
    expect(check({}, {}, { countsSpikes: false })).toBe('spikes of a readout that does not fire');
    expect(check({ spikeCounts: [0, 1] }, {}, { countsSpikes: false })).toBe('spikes of a readout that does not fire');
    expect(check({ spikeCounts: [0, 0] }, {}, { countsSpikes: false })).toBe('');
  });

  it('refuses an answer with neither values nor digest', () => {
    expect(check({ ...EMPTY, readoutDigest: 0n }, { digestOnly: true })).toBe('neither an answer nor its digest');
  });

  it('refuses a wrong readout digest, even if only digests were requested', () => {
    const readout = readoutDigest(fakeInference());
    const altered = { spikeCounts: [3, 2], readoutDigest: readout };
    expect(check(altered, { digestOnly: true })).toBe('a readout digest that does not match the returned bytes');
  });
});
