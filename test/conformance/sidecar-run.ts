// Runs all conformance cases on the C++ engine and the C++ reference with `tandem-conformance`, which is built with the
// tests.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './case-file.ts';
import { CASES } from './case-file.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const PROGRAM = join(ROOT, 'sidecar-cpp/build/release/tandem-conformance');
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

interface SidecarLine {
  readonly case: string;
  readonly engine?: Outcome & { readonly error?: string };
  readonly reference_agrees?: boolean;
  readonly refused?: string;
}

/** By the name of the case. Numbers are rounded as in a case file. */
export function runOnSidecar(folder = CASES): Map<string, SidecarLine> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built; run: npm run setup`);
  const output = execFileSync(PROGRAM, [folder], { encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES });
  const lines = output.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const parsed = JSON.parse(line, nineDigits) as SidecarLine;
      return [parsed.case, parsed];
    }),
  );
}

/** A case file does not distinguish -0 from 0; its digest does. */
function nineDigits(_key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  return Number.isInteger(value) ? value + 0 : Number(value.toPrecision(9));
}
