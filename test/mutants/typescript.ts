// Mutants of the router's TypeScript: in a copy of its sources, judged by the tests beside the file, then by every test of
// services/ that imports it, then by the simulation, and last by integration tests with real processes.
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Ended, run } from './command.ts';
import { type Judgement, type Mutant, type Suite, mutate } from './mutant.ts';
import { changesOf } from './operators.ts';

const FOLDERS = ['voting', 'routing', 'cache', 'engines', 'api'];
const COPIED = ['services', 'test', 'jest.config.js', 'package.json', 'tsconfig.json'];
const LINKED = ['node_modules', 'sidecar-cpp', 'proto', 'deploy', 'scripts'];

const SIMULATION = ['test/sim/main.ts', '--schedules', '400', '--seed', '1'];
const INTEGRATION = ['batch', 'cache', 'failover', 'quorum', 'redundant', 'router-table', 'stream', 'trust'];

const BASELINE_TIMEOUT_MS = 1_800_000;
/** A mutant that loops for ever is killed after so many times what the tests take, and never before 60 s. */
const PATIENCE = 4;
const LEAST_TIMEOUT_MS = 60_000;

interface Trial {
  readonly name: string;
  readonly args: readonly string[];
}

export class TypeScriptSuite implements Suite {
  readonly name = 'TypeScript';
  readonly #root: string;
  readonly #tree: string;
  readonly #tookMs = new Map<string, number>();

  /** `root`: the repository. The working copy is in its .cache. */
  constructor(root: string) {
    this.#root = root;
    this.#tree = join(root, '.cache', 'mutants-ts');
  }

  mutants(): Mutant[] {
    return FOLDERS.flatMap((folder) => {
      const names = readdirSync(join(this.#root, 'services', folder), { recursive: true, encoding: 'utf8' });
      const files = names.filter((name) => /(?<!\.test|\.d)\.ts$/.test(name)).sort();
      return files.flatMap((name) => this.#mutantsOf(`services/${folder}/${name}`));
    });
  }

  #mutantsOf(file: string): Mutant[] {
    return readFileSync(join(this.#root, file), 'utf8')
      .split('\n')
      .flatMap((before, index) => changesOf(before).map((change) => ({ file, line: index + 1, before, ...change })));
  }

  async prepare(_: readonly Mutant[], progress: (text: string) => void): Promise<void> {
    this.#copy();
    for (const trial of [jest('unit', 'services/'), SIMULATED, INTEGRATED]) {
      const beganMs = performance.now();
      const ended = await this.#run(trial, BASELINE_TIMEOUT_MS);
      if (ended.code !== 0) throw new Error(`the ${trial.name} tests fail on unchanged code:\n${tailOf(ended)}`);
      this.#tookMs.set(trial.name, performance.now() - beganMs);
      progress(`${trial.name} tests take ${(this.#tookMs.get(trial.name)! / 1_000).toFixed(1)} s`);
    }
  }

  async judge(mutant: Mutant): Promise<Judgement> {
    const path = join(this.#tree, mutant.file);
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(whole, mutant));
    try {
      if (!(await this.#parses(path))) return { verdict: 'not built' };
      const related = jest(
        'unit',
        '--findRelatedTests',
        mutant.file,
        '--testPathIgnorePatterns',
        '/node_modules/',
        '/test/',
      );
      const trials = [...this.#besideTests(mutant.file), related, SIMULATED, INTEGRATED];
      for (const trial of trials) {
        const limitMs = Math.max(LEAST_TIMEOUT_MS, PATIENCE * this.#tookMs.get(trial.name)!);
        const ended = await this.#run(trial, limitMs);
        if (ended.code !== 0) return { verdict: 'killed', by: noticedBy(trial, ended) };
      }
      return { verdict: 'survived' };
    } finally {
      writeFileSync(path, whole);
    }
  }

  /** Those named after the file: they most often notice, and soon. */
  #besideTests(file: string): Trial[] {
    const name = basename(file, '.ts');
    const beside = readdirSync(join(this.#tree, dirname(file))).filter((other) => {
      return other.startsWith(`${name}.`) && other.endsWith('.test.ts');
    });
    return beside.length === 0 ? [] : [jest('unit', ...beside.map((other) => join(dirname(file), other)))];
  }

  async #parses(path: string): Promise<boolean> {
    return (await run(process.execPath, ['--check', path], this.#tree, LEAST_TIMEOUT_MS)).code === 0;
  }

  #run({ args }: Trial, timeoutMs: number): Promise<Ended> {
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    return run(process.execPath, [...flags, ...args], this.#tree, timeoutMs);
  }

  #copy(): void {
    rmSync(this.#tree, { recursive: true, force: true });
    for (const name of COPIED) cpSync(join(this.#root, name), join(this.#tree, name), { recursive: true });
    for (const name of LINKED) {
      if (existsSync(join(this.#root, name))) symlinkSync(join(this.#root, name), join(this.#tree, name));
    }
  }
}

function jest(name: string, ...args: readonly string[]): Trial {
  return { name, args: ['node_modules/jest/bin/jest.js', '--bail', '--silent', ...args] };
}

const SIMULATED: Trial = { name: 'simulation', args: SIMULATION };
const INTEGRATED = jest('integration', ...INTEGRATION.map((name) => `test/integration/${name}.test.ts`));

function noticedBy({ name }: Trial, { output, timedOut }: Ended): string {
  if (timedOut) return `${name}: timeout`;
  return `${name}: ${/FAIL (\S+)/.exec(output)?.[1] ?? 'crash'}`;
}

function tailOf({ output }: Ended): string {
  return output.slice(-3_000);
}
