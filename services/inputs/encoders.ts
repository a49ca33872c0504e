// Encodes numbers as spikes (proto/NUMERICS.md, "Encoders"). Done once, before the engines, so that all get the same
// bits.
import type { Encoder } from '../config/input-settings.ts';
import { randomWord } from './threefry.ts';

/** Rows of the input: a constant input has one. */
interface Rows {
  readonly rows: number;
  /** Elements of a row. */
  readonly size: number;
  readonly values: Float32Array;
}

/** `steps`: length of the series for a constant input. Returns one row per step. */
export function encode(encoder: Encoder, input: Rows, steps: number): Float32Array<ArrayBuffer> {
  switch (encoder.kind) {
    case 'rate':
      return rate(input, steps, encoder.seed);
    case 'latency':
      return latency(input, steps);
    case 'delta':
      return delta(input, encoder);
  }
}

function rate({ size, values }: Rows, steps: number, seed: number): Float32Array<ArrayBuffer> {
  const spikes = new Float32Array(steps * size);
  const limits = Float64Array.from(values, (value) => value * 2 ** 32);
  for (let step = 0; step < steps; step += 1) {
    for (let k = 0; k < size; k += 1) {
      if (limits[k]! > 0 && randomWord(seed, 0, step, k) < limits[k]!) spikes[step * size + k] = 1;
    }
  }
  return spikes;
}

function latency({ size, values }: Rows, steps: number): Float32Array<ArrayBuffer> {
  const spikes = new Float32Array(steps * size);
  for (let k = 0; k < size; k += 1) {
    const value = Math.min(1, values[k]!);
    if (value <= 0) continue;
    const step = Math.floor((1 - value) * (steps - 1) + 0.5);
    spikes[step * size + k] = 1;
  }
  return spikes;
}

function delta(
  { rows, size, values }: Rows,
  { threshold, off }: Encoder & { kind: 'delta' },
): Float32Array<ArrayBuffer> {
  const spikes = new Float32Array(rows * size);
  const limit = Math.fround(threshold);
  for (let at = size; at < spikes.length; at += 1) {
    const change = Math.fround(values[at]! - values[at - size]!);
    if (change >= limit) spikes[at] = 1;
    else if (off && change <= -limit) spikes[at] = -1;
  }
  return spikes;
}
