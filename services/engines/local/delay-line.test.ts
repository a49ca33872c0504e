import { describe, expect, it } from '@jest/globals';
import { DelayLine } from './delay-line.ts';

const SEED = Date.now() % 2 ** 31;
let state = SEED;
const random = (n: number): number => (state = (state * 48_271) % 2_147_483_647) % n;

/** The expected output: element k of step t is delayed by `delays[k]` steps. */
function expected(inputs: readonly Float32Array[], delays: Uint32Array, step: number): number[] {
  return Array.from(delays, (delay, k) => inputs[step - delay]?.[k] ?? 0);
}

const inputsOf = (steps: number, size: number): Float32Array[] =>
  Array.from({ length: steps }, () => Float32Array.from({ length: size }, () => random(1_000) / 8));

describe('DelayLine', () => {
  it('delays each element by its own number of steps', () => {
    for (let round = 0; round < 50; round += 1) {
      const delays = Uint32Array.from({ length: 1 + random(6) }, () => random(5));
      const inputs = inputsOf(12, delays.length);
      const line = new DelayLine(delays);
      const y = new Float32Array(delays.length);
      for (const [step, input] of inputs.entries()) {
        line.step(input, y);
        expect([SEED, [...y]]).toEqual([SEED, expected(inputs, delays, step)]);
      }
    }
  });

  it('continues from the saved rows of another line', () => {
    const delays = Uint32Array.of(3, 0, 1);
    const inputs = inputsOf(12, delays.length);
    for (let cut = 0; cut <= inputs.length; cut += 1) {
      const [before, after] = [new DelayLine(delays), new DelayLine(delays)];
      const y = new Float32Array(delays.length);
      for (const input of inputs.slice(0, cut)) before.step(input, y);
      before.settle();
      after.restore(before.rows);
      for (let step = cut; step < inputs.length; step += 1) {
        after.step(inputs[step]!, y);
        expect([...y]).toEqual(expected(inputs, delays, step));
      }
    }
  });

  it('returns zeros after clear', () => {
    const line = new DelayLine(Uint32Array.of(1));
    const y = new Float32Array(1);
    line.step(Float32Array.of(5), y);
    line.clear();
    line.step(Float32Array.of(7), y);
    expect(y[0]).toBe(0);
  });
});
