// `npm run conformance`: the results of each implementation on the conformance cases, and networks that frameworks export. See
// --help. The frameworks' packages are in frameworks/requirements.txt.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { importModel, isAlike } from '../../services/importing/import-model.ts';
import { FRAMEWORKS } from '../../services/models/frameworks.ts';
import { CASES, caseNames, readCase } from './case-file.ts';
import { runLocally } from './local-run.ts';
import { runOnSidecar } from './sidecar-run.ts';
import { wrongSettings } from './wrong-settings.ts';

const HERE = join(dirname(fileURLToPath(import.meta.url)), 'frameworks');
const VENV = join(homedir(), '.cache/tandem-conformance');
const PYTHON = process.env['TANDEM_CONFORMANCE_PYTHON'] ?? join(VENV, 'bin/python');
const EXPORTERS = ['snntorch', 'norse', 'sinabs', 'spyx', 'spikingjelly', 'rockpool'];
const OURS = ['TypeScript', 'C++', 'C++ reference'];
/** The results of one importer. */
const MAX_REASONS = 6;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

type Result = 'agrees' | 'differs' | 'refused';

/** By group, then by column: the number of cases by outcome. */
class Matrix {
  readonly #columns = new Set<string>();
  readonly #groups = new Map<string, Map<string, Record<Result, number>>>();

  add(group: string, column: string, result: Result): void {
    this.#columns.add(column);
    const row = this.#groups.get(group) ?? new Map<string, Record<Result, number>>();
    this.#groups.set(group, row);
    const cell = row.get(column) ?? { agrees: 0, differs: 0, refused: 0 };
    cell[result] += 1;
    row.set(column, cell);
  }

  print(): void {
    const columns = [...this.#columns];
    const rows = [...this.#groups].map(([group, row]) => [
      group,
      ...columns.map((column) => cellText(row.get(column))),
    ]);
    console.log(table(['CASES', ...columns], rows));
    console.log('\na cell: cases that agree / all, and how many of the rest are refused (r)');
  }
}

function cellText(cell: Record<Result, number> | undefined): string {
  if (cell === undefined) return '-';
  const { agrees, differs, refused } = cell;
  return `${agrees}/${agrees + differs + refused}${refused > 0 ? ` ${refused}r` : ''}`;
}

function python(script: string, ...args: string[]): unknown[] {
  const output = execFileSync(PYTHON, [join(HERE, script), ...args], {
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // Libraries print, too.
  const lines = output.split('\n').filter((line) => line.startsWith('{"case"'));
  return lines.map((line) => JSON.parse(line) as unknown);
}

function install(): void {
  if (existsSync(PYTHON)) return;
  console.error(`installing the frameworks into ${VENV}; this takes minutes and gigabytes, once`);
  const options = { stdio: 'inherit' } as const;
  execFileSync('python3', ['-m', 'venv', VENV], options);
  // nir and its helper are newer than some frameworks require, but work with all of them.
  for (const [file, ...more] of [['requirements.txt'], ['requirements-nir.txt', '--no-deps']]) {
    execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', ...more, '-r', join(HERE, file!)], options);
  }
}

function ourColumns(matrix: Matrix): number {
  const sidecar = runOnSidecar();
  let wrong = 0;
  for (const name of caseNames()) {
    const { nir, expect, group, ...given } = readCase(name);
    const { engine, reference_agrees: isReferenceAlike } = sidecar.get(name)!;
    const local = JSON.parse(JSON.stringify(runLocally(nir, given))) as unknown;
    const agree = [isDeepStrictEqual(local, expect), isDeepStrictEqual(engine, expect), isReferenceAlike === true];
    for (const [n, isAlikeHere] of agree.entries()) {
      matrix.add(group, OURS[n]!, isAlikeHere ? 'agrees' : 'differs');
      if (!isAlikeHere) wrong += 1;
    }
  }
  return wrong;
}

interface ImporterLine {
  readonly case: string;
  readonly importer: string;
  readonly result: Result;
  readonly why?: string;
}

/** Fills the matrix. Returns rows with the reasons for each importer's refusals, the most frequent first. */
function importerColumns(matrix: Matrix): string[][] {
  const reasons = new Map<string, { importer: string; why: string; count: number }>();
  for (const { case: name, importer, result, why = '' } of python('importers.py', CASES) as ImporterLine[]) {
    matrix.add(readCase(name).group, importer, result);
    if (result !== 'refused') continue;
    const key = `${importer} ${why.replaceAll(/\d+/g, '')}`; // sizes differ from case to case
    const reason = reasons.get(key) ?? { importer, why, count: 0 };
    reason.count += 1;
    reasons.set(key, reason);
  }
  return [...Map.groupBy(reasons.values(), ({ importer }) => importer)].flatMap(([importer, all]) =>
    all
      .sort((one, other) => other.count - one.count)
      .slice(0, MAX_REASONS)
      .map(({ why, count }) => [importer, String(count), why]),
  );
}

interface RecordLine {
  readonly case: string;
  readonly framework: string;
  /** The known reason why it cannot fire equally. */
  readonly cause: string | null;
  readonly error?: string;
}

/** Networks made, exported and run by each framework, then imported and run here. Counts differences without a cause. */
function exporterRows(): { rows: string[][]; unexplained: number } {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-conformance-'));
  let unexplained = 0;
  try {
    const lines = EXPORTERS.flatMap((framework) => python('record.py', folder, framework)) as RecordLine[];
    const rows = lines.map(({ case: name, framework, cause, error }) => {
      const [served, why] = error === undefined ? checkExport(join(folder, name), framework) : ['not exported', error];
      if (served === 'equal' && cause === null) return [name, served, why];
      if (cause === null || served === 'equal') unexplained += 1;
      if (served === 'equal') return [name, served, `though it should not: ${cause}`];
      return [name, served, cause ?? `no known cause: ${why}`];
    });
    return { rows, unexplained };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkExport(path: string, framework: string): [string, string] {
  try {
    const recording = readFileSync(`${path}.npz`);
    const { comparison, decisions } = importModel(readFileSync(`${path}.nir`), {
      framework: FRAMEWORKS[framework]!,
      recording,
    });
    if (isAlike(comparison!)) return ['equal', decisions.map(({ key, value }) => `${key} ${value}`).join(', ')];
    const { difference, failed } = comparison!;
    if (difference === undefined) return ['differs', `the run ends early: ${failed}`];
    return ['differs', `first at step ${difference.step}, node "${difference.node}", neuron ${difference.neuron}`];
  } catch (error) {
    return ['refused', (error as Error).message];
  }
}

const HELP = `Prints what each implementation makes of the conformance cases: ours, and the importers of the frameworks; whether networks
that the frameworks export fire equally here, or why not; and what a wrong setting costs the shipped model.

Usage: npm run conformance -- [options]

  --ours   only our own columns, without the frameworks' packages (gigabytes, installed into ~/.cache/tandem-conformance once)
  --help   this text

Ends with 1 if our own implementations differ, or a network fires differently without a known cause.

Example: npm run conformance -- --ours
`;

function run(isOnlyOurs: boolean): void {
  const matrix = new Matrix();
  let wrong = ourColumns(matrix);
  let refusals: string[][] = [];
  if (!isOnlyOurs) {
    install();
    refusals = importerColumns(matrix);
  }
  matrix.print();
  if (!isOnlyOurs) {
    console.log(`\n${table(['IMPORTER', 'REFUSES', 'BECAUSE'], refusals)}`);
    const { rows, unexplained } = exporterRows();
    console.log(`\n${table(['EXPORTED NETWORK', 'SERVED', 'WITH THE SETTINGS, OR THE CAUSE'], rows)}`);
    wrong += unexplained;
  }
  console.log(`\n${table(['SUPERSENSE WITH', 'ACCURACY', 'OTHER ANSWERS', 'SPIKES/TEXT'], wrongSettings())}`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

const { values } = parseArguments({
  options: { ours: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) process.stdout.write(HELP);
else run(values.ours);
