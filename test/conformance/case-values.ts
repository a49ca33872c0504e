// Values for the conformance cases.
import type { Random } from '../fuzz/random.ts';
import type { GraphSpec, NodeSpec } from '../support/nir-writer.ts';
import { node } from '../support/run-network.ts';

export interface CaseSpec {
  readonly name: string;
  readonly group: string;
  readonly graph: GraphSpec;
  /** The text of model.yaml. */
  readonly manifest: string;
  /** A row for each step, or the one row of a constant input. */
  readonly input: readonly (readonly number[])[];
}

export const STEPS = 10;
export const WIDTH = 4;
export const DT = 1e-3;

export type Settings = Readonly<Record<string, string | number>>;

export function text(settings: Settings, kind: 'series' | 'constant' = 'series'): string {
  const lines = Object.entries({ dt: DT, ...settings }).map(([key, value]) => `${key}: ${value}`);
  return `${[...lines, `input: {kind: ${kind}}`].join('\n')}\n`;
}

/** Four digits are enough, and make small files. */
export function between(random: Random, low: number, high: number): number {
  return Number(random.between(low, high).toFixed(4));
}

export function list(random: Random, length: number, low: number, high: number): number[] {
  return random.list(length, () => between(random, low, high));
}

export function rows(random: Random, steps = STEPS, width = WIDTH): number[][] {
  return random.list(steps, () => random.list(width, () => (random.chance(0.4) ? 0 : between(random, -0.3, 1.5))));
}

export function affine(random: Random, outputs = WIDTH, inputs = WIDTH): NodeSpec {
  const weight = { shape: [outputs, inputs], values: list(random, outputs * inputs, -0.5, 1) };
  return node('Affine', { weight, bias: list(random, outputs, -0.1, 0.2) });
}

export function neuron(random: Random, type: string): NodeSpec {
  const tau = () => list(random, WIDTH, 2e-3, 9e-3);
  const fire = { v_threshold: list(random, WIDTH, 0.1, 0.5), v_reset: list(random, WIDTH, -0.1, 0.05) };
  const leak = { v_leak: list(random, WIDTH, -0.05, 0.1) };
  switch (type) {
    case 'LIF':
      return node(type, { tau: tau(), r: list(random, WIDTH, 0.5, 2), ...leak, ...fire });
    case 'LI':
      return node(type, { tau: tau(), r: list(random, WIDTH, 0.5, 2), ...leak });
    case 'IF':
      return node(type, { r: list(random, WIDTH, 200, 900), ...fire });
    case 'I':
      return node(type, { r: list(random, WIDTH, 200, 900) });
    default: {
      const synapse = {
        tau_syn: tau(),
        tau_mem: tau(),
        r: list(random, WIDTH, 0.5, 2),
        w_in: list(random, WIDTH, 1, 3),
      };
      return node(type, { ...synapse, ...leak, ...(type === 'CubaLIF' ? fire : {}) });
    }
  }
}
