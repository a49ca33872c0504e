// Mutants of the router's TypeScript: in a copy of its sources, judged by the tests beside the file and those that import
// it, the nearest first, then by the simulation, and last by integration tests with real processes.
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { type Ended, run } from './command.ts';
import { Importers } from './importers.ts';
import { type Judgement, type Mutant, type Suite, mutate } from './mutant.ts';
import { changesOf } from './operators.ts';

const FOLDERS = ['voting', 'routing', 'cache', 'engines', 'api'];
const COPIED = ['services', 'test', 'jest.config.js', 'package.json', 'tsconfig.json'];
const LINKED = ['node_modules', 'sidecar-cpp', 'proto', 'deploy', 'scripts'];

const SIMULATION = ['test/sim/main.ts', '--schedules', '400', '--seed', '1', '--processes', '1'];
const INTEGRATION = ['batch', 'cache', 'failover', 'quorum', 'redundant', 'router-table', 'stream', 'trust'];
/** Folders whose tests, or parts of tests, import the changed files. */
const IMPORTING = ['services', 'test/conformance', 'test/contract', 'test/fakes', 'test/support'];
const INTEGRATION_FOLDER = 'test/integration';

/** Tests up to this distance from the file run first, but at least this number, and then the others. */
const NEAR = 2;
const LEAST_NEAR = 6;
/** They start processes, and are far from the changed code. */
const FAR_LEFT_OUT = /^services\/(?:cli|dashboard)\//;

const TIMEOUT_MS = 60_000;
const LONG_TIMEOUT_MS = 600_000;
/** Shorter than in jest.config.js: a mutant can let every test of a file wait this long. */
const TEST_TIMEOUT_MS = 20_000;

/** Jest's message for a test that took too long: it hangs, or the machine is busy. */
const SLOW = /Exceeded timeout/;

interface Trial {
  readonly name: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
  /** It may fail on a busy machine, so a failure counts only if it happens twice, and not on unchanged code. */
  readonly isShaky: boolean;
}

export class TypeScriptSuite implements Suite {
  readonly name = 'TypeScript';
  readonly atOnce: number;
  readonly #root: string;
  /** Working copies that are free now. */
  readonly #free: string[];
  readonly #importers: Importers;
  readonly #isQuick: boolean;
  /** Tests that have passed on unchanged code. */
  readonly #sound = new Set<string>();
  /** Tests that fail on unchanged code: they are not used. */
  readonly #broken = new Set<string>();

  /**
   * `root`: the repository. The working copies are in its .cache. `atOnce`: mutants judged at the same time. `isQuick`: only by
   * the tests that are near.
   */
  constructor(root: string, atOnce: number, isQuick: boolean) {
    this.#root = root;
    this.atOnce = atOnce;
    this.#free = Array.from({ length: atOnce }, (_, n) => join(root, '.cache', `mutants-ts-${n}`));
    this.#isQuick = isQuick;
    this.#importers = new Importers(root, IMPORTING);
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
      .flatMap((before, index) =>
        isText(before) ? [] : changesOf(before).map((change) => ({ file, line: index + 1, before, ...change })),
      );
  }

  prepare(): Promise<void> {
    for (const tree of this.#free) this.#copy(tree);
    return Promise.resolve();
  }

  async judge(mutant: Mutant): Promise<Judgement> {
    const tree = this.#free.pop()!;
    const file = join(tree, mutant.file);
    const whole = readFileSync(file, 'utf8');
    const changed = mutate(whole, mutant);
    if (!parses(changed)) {
      this.#free.push(tree);
      return { verdict: 'not built' };
    }
    /** Runs a trial with the changed or the unchanged file. */
    const attempt = async (trial: Trial, text: string): Promise<Ended> => {
      writeFileSync(file, text);
      return await this.#run(trial, tree);
    };
    try {
      for (const trial of this.#trials(mutant.file)) {
        const ended = await attempt(trial, changed);
        if (ended.code === 0) continue;
        const by = `${trial.name}: ${ended.timedOut ? 'timeout' : (failedIn(ended) ?? 'crash')}`;
        if (await this.#isBelieved(trial, ended, (again, isChanged) => attempt(again, isChanged ? changed : whole))) {
          return { verdict: 'killed', by };
        }
      }
      return { verdict: 'survived' };
    } finally {
      writeFileSync(file, whole);
      this.#free.push(tree);
    }
  }

  /** A failed test must pass on unchanged code, and an unreliable one must fail again on changed code. */
  async #isBelieved(
    trial: Trial,
    ended: Ended,
    attempt: (trial: Trial, isChanged: boolean) => Promise<Ended>,
  ): Promise<boolean> {
    const test = failedIn(ended);
    const again = test === undefined ? trial : jest(trial.name, [test], trial.timeoutMs);
    const isLate = SLOW.test(ended.output);
    if ((trial.isShaky || isLate) && (await attempt(again, true)).code === 0) return false;
    const what = test ?? trial.name;
    if (this.#sound.has(what) && !isLate) return true;
    const isSound = (await attempt(again, false)).code === 0;
    (isSound ? this.#sound : this.#broken).add(what);
    return isSound;
  }

  #trials(file: string): Trial[] {
    const { beside, near, far } = this.#testsOf(file);
    const units = (name: string, tests: readonly string[], timeoutMs: number, isShaky: boolean): Trial[] => {
      const sound = tests.filter((test) => !this.#broken.has(test));
      return sound.length === 0 ? [] : [jest(name, sound, timeoutMs, isShaky)];
    };
    const quick = [...units('beside', beside, TIMEOUT_MS, false), ...units('near', near, 2 * TIMEOUT_MS, true)];
    if (this.#isQuick) return quick;
    const namesakes = this.#namesakesOf(file);
    const integration = INTEGRATION.map((name) => `${INTEGRATION_FOLDER}/${name}.test.ts`);
    return [
      ...quick,
      ...units('integration of its name', namesakes, LONG_TIMEOUT_MS, true),
      ...units('far', far, LONG_TIMEOUT_MS, true),
      { name: 'simulation', args: SIMULATION, timeoutMs: LONG_TIMEOUT_MS, isShaky: true },
      ...units('integration', integration, LONG_TIMEOUT_MS, true),
    ];
  }

  /** Integration tests with the same first word as the file or its folder: learn-killed.test.ts for learn-stream.ts. */
  #namesakesOf(file: string): string[] {
    const firstWord = (path: string): string => basename(path).split(/[-.]/)[0]!;
    const words = [firstWord(file), firstWord(dirname(file))];
    const names = readdirSync(join(this.#root, INTEGRATION_FOLDER)).filter((name) => name.endsWith('.test.ts'));
    return names.filter((name) => words.includes(firstWord(name))).map((name) => `${INTEGRATION_FOLDER}/${name}`);
  }

  /** Tests beside the file, with its name. */
  #testsOf(file: string): { readonly beside: string[]; readonly near: string[]; readonly far: string[] } {
    const name = join(dirname(file), basename(file, '.ts'));
    const isNeighbour = (test: string): boolean => dirname(test) === dirname(file);
    const tests = [...this.#importers.testsOf(file)].sort(
      ([a, far], [b, farther]) => far - farther || Number(isNeighbour(b)) - Number(isNeighbour(a)),
    );
    const isBeside = (test: string): boolean => test.startsWith(`${name}.`) || test.startsWith(`${name}-`);
    const others = tests.filter(([test]) => !isBeside(test));
    const nearCount = Math.max(LEAST_NEAR, others.filter(([, distance]) => distance <= NEAR).length);
    const names = others.map(([test]) => test);
    return {
      beside: tests.map(([test]) => test).filter(isBeside),
      near: names.slice(0, nearCount),
      far: names.slice(nearCount).filter((test) => !FAR_LEFT_OUT.test(test)),
    };
  }

  #run({ args, timeoutMs }: Trial, root: string): Promise<Ended> {
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    return run(process.execPath, [...flags, ...args], root, timeoutMs);
  }

  #copy(path: string): void {
    rmSync(path, { recursive: true, force: true });
    for (const name of COPIED) cpSync(join(this.#root, name), join(path, name), { recursive: true });
    for (const name of LINKED) {
      if (existsSync(join(this.#root, name))) symlinkSync(relative(path, join(this.#root, name)), join(path, name));
    }
  }
}

function jest(name: string, tests: readonly string[], timeoutMs: number, isShaky = false): Trial {
  const flags = ['--runInBand', '--silent', '--bail', '--forceExit', `--testTimeout=${TEST_TIMEOUT_MS}`];
  const args = ['node_modules/jest/bin/jest.js', ...flags, '--runTestsByPath', ...tests];
  return { name, args, timeoutMs, isShaky };
}

/** Texts of errors or of the log: tests check few of them, and need not. */
function isText(line: string): boolean {
  return /\b(?:message|why) = |\blog\.\w+\(|new (?:Router)?Error\(|\breturn [`']/.test(line);
}

function parses(text: string): boolean {
  try {
    stripTypeScriptTypes(text);
    return true;
  } catch {
    return false;
  }
}

/** The test that failed first. */
function failedIn({ output }: Ended): string | undefined {
  return /^FAIL (\S+)/m.exec(output)?.[1];
}
