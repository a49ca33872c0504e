// The files of a conformance case: NAME.nir and NAME.json.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CASES = join(dirname(fileURLToPath(import.meta.url)), 'cases');

/** Numbers are binary32, written with nine digits. */
export interface NodeTrace {
  /** Its output, one row per step. */
  output: number[][];
  /** Current and potential at the end, if it has them. */
  i?: number[];
  v?: number[];
}

export interface Outcome {
  /** By name, in the order of evaluation. */
  readonly nodes: Readonly<Record<string, NodeTrace>>;
  readonly spike_counts: readonly number[];
  readonly potentials: readonly number[];
  readonly total_spikes: number;
  readonly synaptic_operations: number;
  /** Hexadecimal. */
  readonly state_digest: string;
}

export interface CaseFile {
  readonly group: string;
  readonly manifest: string;
  readonly input: readonly (readonly number[])[];
  readonly expect: Outcome;
}

export function caseNames(folder = CASES): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

export function readCase(name: string, folder = CASES): CaseFile & { readonly nir: Uint8Array } {
  const file = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as CaseFile;
  return { ...file, nir: readFileSync(join(folder, `${name}.nir`)) };
}
