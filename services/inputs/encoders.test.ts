import { describe, expect, it } from '@jest/globals';
import { encode } from './encoders.ts';
import { randomWord } from './threefry.ts';

const row = (...values: number[]) => ({ rows: 1, size: values.length, values: Float32Array.from(values) });

describe('the rate encoder', () => {
  it('spikes if the random word of step and element is below the value', () => {
    const values = [0.25, 0.5, 0.9];
    const spikes = encode({ kind: 'rate', seed: 7 }, row(...values), 50);
    const expected = Array.from({ length: 150 }, (_, at) => {
      const [step, k] = [Math.floor(at / 3), at % 3];
      return Number(randomWord(7, 0, step, k) < Math.fround(values[k]!) * 2 ** 32);
    });
    expect([...spikes]).toEqual(expected);
  });

  it('never spikes for 0 or less, and always for 1 or more', () => {
    const spikes = encode({ kind: 'rate', seed: 1 }, row(-1, 0, 1, 8), 200);
    expect([...spikes]).toEqual(Array.from({ length: 200 }, () => [0, 0, 1, 1]).flat());
  });

  it('returns the same spikes for a seed, and others for another seed', () => {
    const of = (seed: number): string => encode({ kind: 'rate', seed }, row(0.5, 0.5, 0.5), 40).join('');
    expect([of(1) === of(1), of(1) === of(2)]).toEqual([true, false]);
  });
});

describe('the latency encoder', () => {
  it('spikes once, earlier for larger values, and never for 0', () => {
    const spikes = encode({ kind: 'latency' }, row(1, 0.5, 0.1, 0, 3), 5);
    const steps = [0, 1, 2, 3, 4].map((k) => [0, 1, 2, 3, 4].filter((step) => spikes[step * 5 + k] === 1));
    expect(steps).toEqual([[0], [2], [4], [], [0]]);
  });
});

describe('the delta encoder', () => {
  const input = { rows: 4, size: 1, values: Float32Array.of(5, 5.5, 5.25, 4) };

  it('spikes if a value rises by at least the threshold, but not at the first step', () => {
    expect([...encode({ kind: 'delta', threshold: 0.5, off: false }, input, 1)]).toEqual([0, 1, 0, 0]);
  });

  it('returns -1 if the value falls by the threshold and off is set', () => {
    expect([...encode({ kind: 'delta', threshold: 0.5, off: true }, input, 1)]).toEqual([0, 1, 0, -1]);
  });
});
