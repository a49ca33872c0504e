// What the conformance cases are made of.
import type { Random } from '../fuzz/random.ts';
import type { GraphSpec } from '../support/nir-writer.ts';

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
