// Mutants of the C++ engine: in a copy of its sources, built incrementally, judged by the test programs of the folder
// and of folders that use it.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Ended, run } from './command.ts';
import { type Judgement, type Mutant, type Suite, mutate } from './mutant.ts';
import { changesOf } from './operators.ts';

const ENGINE = 'sidecar-cpp';

/** The mutated folders and their test programs, the fastest first. */
const TESTED_BY: Readonly<Record<string, readonly string[]>> = {
  scheduling: ['scheduling', 'server'],
  server: ['server'],
  engine: ['engine', 'server'],
  kernels: ['kernels', 'engine'],
  nir: ['nir', 'loader', 'engine'],
  loader: ['loader'],
};

const FIRST_BUILD_TIMEOUT_MS = 7_200_000;
const BUILD_TIMEOUT_MS = 900_000;
const BASELINE_TIMEOUT_MS = 1_800_000;
/** A mutant with an endless loop is killed after this multiple of the tests' time, and never before 20 s. */
const PATIENCE = 6;
const LEAST_TIMEOUT_MS = 20_000;

export class CppSuite implements Suite {
  readonly name = 'C++';
  readonly atOnce = 1;
  readonly #root: string;
  readonly #tree: string;
  readonly #build: string;
  readonly #tookMs = new Map<string, number>();

  /** `root`: the repository. The working copy is in its .cache. */
  constructor(root: string) {
    this.#root = root;
    this.#tree = join(root, '.cache', 'mutants');
    this.#build = join(this.#tree, ENGINE, 'build', 'mutants');
  }

  mutants(): Mutant[] {
    return Object.keys(TESTED_BY).flatMap((folder) => {
      const files = readdirSync(join(this.#root, ENGINE, folder)).filter((name) => /(?<!_test|_check)\.cc$/.test(name));
      return files.flatMap((name) => this.#mutantsOf(`${ENGINE}/${folder}/${name}`));
    });
  }

  #mutantsOf(file: string): Mutant[] {
    return readFileSync(join(this.#root, file), 'utf8')
      .split('\n')
      .flatMap((before, index) => changesOf(before).map((change) => ({ file, line: index + 1, before, ...change })));
  }

  async prepare(mutants: readonly Mutant[], progress: (text: string) => void): Promise<void> {
    this.#copy();
    progress('building the engine and its tests');
    const settings = ['-S', join(this.#tree, ENGINE), '-B', this.#build, '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release'];
    const launcher = existsSync('/usr/bin/ccache') ? ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache'] : [];
    expectSuccess('cmake', await run('cmake', [...settings, ...launcher], this.#tree, BUILD_TIMEOUT_MS));
    const programs = [...new Set(mutants.flatMap((mutant) => testedBy(mutant)))];
    expectSuccess('the build', await this.#make(programs, FIRST_BUILD_TIMEOUT_MS));
    for (const program of programs) {
      const beganMs = performance.now();
      expectSuccess(`the tests in ${program}`, await this.#test(program, BASELINE_TIMEOUT_MS));
      this.#tookMs.set(program, performance.now() - beganMs);
      progress(`${program}: tests take ${(this.#tookMs.get(program)! / 1_000).toFixed(1)} s`);
    }
  }

  async judge(mutant: Mutant): Promise<Judgement> {
    const path = join(this.#tree, mutant.file);
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(whole, mutant));
    try {
      const programs = testedBy(mutant);
      if ((await this.#make(programs)).code !== 0) return { verdict: 'not built' };
      for (const program of programs) {
        const limitMs = Math.max(LEAST_TIMEOUT_MS, PATIENCE * this.#tookMs.get(program)!);
        const ended = await this.#test(program, limitMs);
        // On a busy machine a test that reads the clock may fail, but hardly twice.
        if (ended.code !== 0 && (await this.#test(program, limitMs)).code !== 0)
          return { verdict: 'killed', by: noticedBy(program, ended) };
      }
      return { verdict: 'survived' };
    } finally {
      writeFileSync(path, whole);
    }
  }

  /** Restores the present sources. Only different files are written, so the last mutant's file is built again. */
  #copy(): void {
    mkdirSync(join(this.#tree, ENGINE), { recursive: true });
    for (const name of ['proto', 'deploy', 'node_modules']) {
      rmSync(join(this.#tree, name), { force: true });
      symlinkSync(join(this.#root, name), join(this.#tree, name));
    }
    const [from, to] = [join(this.#root, ENGINE), join(this.#tree, ENGINE)];
    const build = join(from, 'build');
    for (const path of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
      if (!path.startsWith('build') && !existsSync(join(from, path))) {
        rmSync(join(to, path), { recursive: true, force: true });
      }
    }
    cpSync(from, to, {
      recursive: true,
      filter: (source, target) => source !== build && !isSameFile(source, target),
    });
  }

  #make(programs: readonly string[], timeoutMs = BUILD_TIMEOUT_MS): Promise<Ended> {
    const targets = programs.map((program) => `tandem_${program}_test`);
    return run('cmake', ['--build', this.#build, '-j', '2', '--target', ...targets], this.#tree, timeoutMs);
  }

  #test(program: string, timeoutMs: number): Promise<Ended> {
    const args = ['--gtest_brief=1', '--gtest_fail_fast'];
    return run(join(this.#build, `tandem_${program}_test`), args, this.#build, timeoutMs);
  }
}

function testedBy({ file }: Mutant): readonly string[] {
  return TESTED_BY[file.split('/')[1]!]!;
}

function isSameFile(one: string, other: string): boolean {
  if (!existsSync(other) || !statSync(one).isFile()) return false;
  return readFileSync(one).equals(readFileSync(other));
}

function expectSuccess(what: string, { code, output, timedOut }: Ended): void {
  if (code === 0) return;
  const outcome = timedOut ? 'took too long' : 'failed';
  throw new Error(`${what} ${outcome} on unchanged code:\n${output.slice(-3_000)}`);
}

function noticedBy(program: string, { output, timedOut }: Ended): string {
  if (timedOut) return `${program}: timeout`;
  return `${program}: ${/\[ +FAILED +\] (\S+?),? /.exec(output)?.[1] ?? 'crash'}`;
}
