// libFuzzer on the C++ engine: `npm run test:fuzz -- --cpp MINUTES [TARGET…]`. Builds the targets, runs them at the
// same time, and prints a summary.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { table } from '../../services/cli/table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENGINE = join(ROOT, 'sidecar-cpp');
const BUILD = join(ENGINE, 'build', 'fuzz');
const CACHE = join(ROOT, '.cache', 'fuzz');
const TARGETS = ['file', 'reader', 'answer', 'request', 'stream'] as const;
type Target = (typeof TARGETS)[number];

/** An input that takes longer is a hang. */
const HANG_SECONDS = 20;
/** The engine's own limit is 1 GiB (issue 12); AddressSanitizer keeps freed memory for a while. */
const MEMORY_MB = 2_048;
const MAX_INPUT_BYTES = 65_536;
/** libFuzzer looks for leaks after each run that keeps memory, which takes a second: HDF5 and gRPC keep some. */
const KEEP_MEMORY: readonly Target[] = ['file', 'reader', 'stream'];
/**
 * AddressSanitizer does not reuse freed memory at once, so HDF5's megabyte for each file would always be new memory.
 */
const ASAN_OPTIONS = 'quarantine_size_mb=16';
const PROGRESS_MS = 30_000;

interface Progress {
  executions: number;
  coverage: number;
  inputs: number;
  readonly found: string[];
}

function build(): void {
  console.log('building the fuzz targets (minutes, once)');
  mkdirSync(CACHE, { recursive: true });
  const log = join(CACHE, 'build.log');
  try {
    const options = { cwd: ENGINE, stdio: 'pipe', maxBuffer: 1e9 } as const;
    const output = [
      execFileSync('cmake', ['--preset', 'fuzz'], options),
      execFileSync('cmake', ['--build', '--preset', 'fuzz'], options),
    ];
    writeFileSync(log, Buffer.concat(output));
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: Buffer; stderr?: Buffer };
    writeFileSync(log, Buffer.concat([stdout ?? Buffer.alloc(0), stderr ?? Buffer.alloc(0)]));
    throw new Error(`the build failed; its output is in ${relative(ROOT, log)}`, { cause: error });
  }
  rmSync(join(CACHE, 'seeds'), { recursive: true, force: true });
  execFileSync(join(BUILD, 'tandem-fuzz-seeds'), [join(CACHE, 'seeds')]);
  // Inputs that the fuzzer found stay in the corpus.
  const kept = join(ENGINE, 'fuzz', 'found');
  if (existsSync(kept)) cpSync(kept, join(CACHE, 'seeds'), { recursive: true });
}

function fuzz(target: Target, minutes: number, progress: Progress): Promise<void> {
  const corpus = join(CACHE, 'corpus', target);
  const found = join(CACHE, 'found', target);
  for (const folder of [corpus, found]) mkdirSync(folder, { recursive: true });
  const before = new Set(readdirSync(found));
  const child = spawn(
    join(BUILD, `tandem-fuzz-${target}`),
    [
      corpus,
      join(CACHE, 'seeds', target),
      `-max_total_time=${60 * minutes}`,
      `-timeout=${HANG_SECONDS}`,
      `-rss_limit_mb=${MEMORY_MB}`,
      `-max_len=${MAX_INPUT_BYTES}`,
      `-artifact_prefix=${found}/`,
      `-detect_leaks=${KEEP_MEMORY.includes(target) ? 0 : 1}`,
      '-print_final_stats=1',
    ],
    { cwd: CACHE, env: { ...process.env, ASAN_OPTIONS }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const end = (): void => void child.kill();
  process.once('exit', end);
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    const [, executions, coverage, inputs] = /^#(\d+)\s.*?cov: (\d+).*?corp: (\d+)/.exec(line) ?? [];
    if (executions === undefined) return;
    Object.assign(progress, { executions: +executions, coverage: +coverage!, inputs: +inputs! });
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('exit', end);
      writeFileSync(join(CACHE, `${target}.log`), `${lines.join('\n')}\n`);
      const last = lines.map((line) => /^stat::number_of_executed_units: (\d+)/.exec(line)?.[1]).find(Boolean);
      if (last !== undefined) progress.executions = Number(last);
      progress.found.push(
        ...readdirSync(found)
          .filter((name) => !before.has(name))
          .map((name) => join(found, name)),
      );
      // A target that ends early has found something, or could not start.
      if (code !== 0 && progress.found.length === 0) progress.found.push(`ended with code ${code}`);
      resolve();
    });
  });
}

function text({ executions, coverage, inputs }: Progress): string {
  return `${executions} runs, coverage ${coverage}, ${inputs} inputs`;
}

async function main([minutesText, ...names]: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !TARGETS.some((target) => target === name));
  if (unknown.length > 0) {
    console.error(`There is no target ${unknown.join(', ')}. Targets: ${TARGETS.join(', ')}`);
    return 2;
  }
  const minutes = Number(minutesText);
  const targets = TARGETS.filter((target) => names.length === 0 || names.includes(target));
  build();
  const began = performance.now();
  const all = targets.map((target) => ({ target, progress: { executions: 0, coverage: 0, inputs: 0, found: [] } }));
  const timer = setInterval(() => {
    const passed = `${Math.round((performance.now() - began) / 1_000)} s of ${60 * minutes}`;
    console.log([passed, ...all.map(({ target, progress }) => `${target}: ${text(progress)}`)].join(' · '));
  }, PROGRESS_MS);
  await Promise.all(all.map(({ target, progress }) => fuzz(target, minutes, progress)));
  clearInterval(timer);
  const rows = all.map(({ target, progress: { executions, coverage, inputs, found } }) => {
    return [target, ...[executions, coverage, inputs, found.length].map(String)];
  });
  console.log(`\n${table(['TARGET', 'RUNS', 'COVERAGE', 'CORPUS', 'FOUND'], rows)}`);
  for (const { target, progress } of all) {
    for (const input of progress.found as string[]) {
      console.log(`\n${target}: ${relative(ROOT, input)}, log .cache/fuzz/${target}.log. Replay it:`);
      console.log(`  sidecar-cpp/build/fuzz/tandem-fuzz-${target} ${relative(ROOT, input)}`);
    }
  }
  return all.every(({ progress }) => progress.found.length === 0) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
