// A small network with all parts of a session state: currents and membranes, a recurrent edge and a delay. Its input is
// a time series.
import { Random } from '../fuzz/random.ts';
import { ModelFolder } from './model-folder.ts';
import { type GraphSpec, type NodeSpec, dims } from './nir-writer.ts';

export const SESSION_MODEL = 'memory';
const INPUTS = 4;
const NEURONS = 12;
const OUTPUTS = 3;
const DT = 1e-3;
const TAU = 8e-3;

const MANIFEST = `dt: ${DT}
reset: subtract
input: {kind: series}
readout: {from: mean_potential}
`;

function affine(random: Random, outputs: number, inputs: number, largest: number): NodeSpec {
  const list = (length: number, least: number): number[] => random.list(length, () => random.between(least, largest));
  const weight = { shape: [outputs, inputs], values: list(outputs * inputs, -largest / 2) };
  return { type: 'Affine', fields: { weight, bias: list(outputs, 0) } };
}

function graph(): GraphSpec {
  const random = new Random(7);
  const every = (value: number, length: number): number[] => Array<number>(length).fill(value);
  const leaky = (length: number): Record<string, number[]> => ({
    ...{ r: every(TAU / DT, length), v_leak: every(0, length) },
    ...{ v_threshold: every(1, length), v_reset: every(0, length) },
  });
  return {
    type: 'NIRGraph',
    nodes: {
      input: { type: 'Input', fields: { shape: dims(INPUTS) } },
      in: affine(random, NEURONS, INPUTS, 0.6),
      hidden: {
        type: 'CubaLIF',
        fields: {
          tau_syn: every(TAU / 2, NEURONS),
          tau_mem: every(TAU, NEURONS),
          w_in: every(4, NEURONS),
          ...leaky(NEURONS),
        },
      },
      back: affine(random, NEURONS, NEURONS, 0.3),
      late: { type: 'Delay', fields: { delay: random.list(NEURONS, () => random.integer(0, 5) * DT) } },
      out: affine(random, OUTPUTS, NEURONS, 0.4),
      last: { type: 'LIF', fields: { tau: every(TAU, OUTPUTS), ...leaky(OUTPUTS) } },
      output: { type: 'Output', fields: { shape: dims(OUTPUTS) } },
    },
    edges: [
      ['input', 'in'],
      ['in', 'hidden'],
      ['hidden', 'back'],
      ['back', 'hidden'],
      ['hidden', 'late'],
      ['late', 'out'],
      ['out', 'last'],
      ['last', 'output'],
    ],
  };
}

/** A repository with this model only. The caller must remove it. */
export function sessionModels(): ModelFolder {
  return new ModelFolder().add(SESSION_MODEL, 1, graph(), MANIFEST);
}

/** Spikes at each step. */
export function sessionSeries(steps: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: steps * INPUTS }, () => (random.chance(0.4) ? 1 : 0));
}

/** Some of its steps, for ReasonRequest. */
export function piece(
  series: Float32Array,
  first: number,
  steps: number,
): { shape: number[]; dtype: string; data: Buffer } {
  const part = series.slice(first * INPUTS, (first + steps) * INPUTS);
  return { shape: [steps, INPUTS], dtype: 'FP32', data: Buffer.from(part.buffer) };
}
