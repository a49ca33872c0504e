import { describe, expect, it } from '@jest/globals';
import { encode } from './encoders.ts';
import { randomWord } from './threefry.ts';

const row = (...values: number[]) => ({ rows: 1, size: values.length, values: Float32Array.from(values) });

describe('the rate encoder', () => {
  it('spikes where the random word of step and element is below the value', () => {
    const values = [0.25, 0.5, 0.9];
    const spikes = encode({ kind: 'rate', seed: 7 }, row(...values), 50);
    const expected = Array.from({ length: 150 }, (_, at) => {
      const [step, k] = [Math.floor(at / 3), at % 3];
      return Number(randomWord(7, 0, step, k) < Math.fround(values[k]!) * 2 ** 32);
    });
    expect([...spikes]).toEqual(expected);
  });

  it('never spikes for 0 and less, and always for 1 and more', () => {
    const spikes = encode({ kind: 'rate', seed: 1 }, row(-1, 0, 1, 8), 200);
    expect([...spikes]).toEqual(Array.from({ length: 200 }, () => [0, 0, 1, 1]).flat());
  });

  it('gives other spikes for another seed, and the same for the same', () => {
    const of = (seed: number): string => encode({ kind: 'rate', seed }, row(0.5, 0.5, 0.5), 40).join('');
    expect([of(1) === of(1), of(1) === of(2)]).toEqual([true, false]);
  });
});

describe('the latency encoder', () => {
  it('spikes once, the earlier the larger the value, and never for 0', () => {
    const spikes = encode({ kind: 'latency' }, row(1, 0.5, 0.1, 0, 3), 5);
    const steps = [0, 1, 2, 3, 4].map((k) => [0, 1, 2, 3, 4].filter((step) => spikes[step * 5 + k] === 1));
    expect(steps).toEqual([[0], [2], [4], [], [0]]);
  });
});

describe('the delta encoder', () => {
  const input = { rows: 4, size: 1, values: Float32Array.of(5, 5.5, 5.25, 4) };

  it('spikes where a value has risen by the threshold or more, never at the first step', () => {
    expect([...encode({ kind: 'delta', threshold: 0.5, off: false }, input, 1)]).toEqual([0, 1, 0, 0]);
  });

  it('puts out -1 where it has fallen by as much, if it is to', () => {
    expect([...encode({ kind: 'delta', threshold: 0.5, off: true }, input, 1)]).toEqual([0, 1, 0, -1]);
  });
});
