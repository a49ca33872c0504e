// The simulators: C++ against a plain dense loop and against snnTorch, TypeScript against C++.
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalEngine } from '../../services/engines/local/local-engine.ts';
import { readHeldout } from '../support/heldout.ts';
import type { Row } from './row.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODELS = join(ROOT, 'deploy/models');
const BENCH = join(ROOT, 'sidecar-cpp/build/release/tandem-bench');
// Where scripts/setup --for bench puts it.
const PYTHON = join(homedir(), '.cache/tandem-bench/venv/bin/python');
const SECONDS = 3;

const runFile = promisify(execFile);

const BATCHES = ['1', '64'] as const;

type PerBatch = Record<(typeof BATCHES)[number], number>;

const namesAt = (batch: string, peer: string): [dense: string, peer: string, hoisted: string, typescript: string] => {
  const at = batch === '1' ? 'one at a time' : `${batch} at a time`;
  return [
    `C++ simulator vs dense loop in C++, ${at}`,
    `C++ simulator vs ${peer}, ${at}`,
    `  the same, its first layer hoisted, ${at}`,
    `TypeScript engine vs C++ simulator, ${at}`,
  ];
};

/** What the rows are called. */
export const simulatorNames = (): string[] =>
  BATCHES.flatMap((batch) => namesAt(batch, 'snnTorch VERSION, PyTorch VERSION'));

export async function benchSimulator(progress: (text: string) => void): Promise<Row[]> {
  progress('C++ simulator and dense loop');
  const cpp = await cppMicroseconds();
  progress('snnTorch');
  const peer = await snnTorch();
  await checkSameModel(peer.argmax);
  progress('TypeScript engine');
  const typescript = { 1: await localMicroseconds(1), 64: await localMicroseconds(64) };
  return BATCHES.flatMap((batch) => {
    const [dense, snntorch, hoisted, inTypeScript] = namesAt(batch, peer.version);
    const row = (what: string, ours: number, other: number): Row => ({
      what,
      ours,
      peer: other,
      unit: 'µs/input',
      ratio: other / ours,
      reads: 'times as fast',
    });
    return [
      row(dense, cpp.simulator[batch], cpp.dense[batch]),
      row(snntorch, cpp.simulator[batch], peer.loop[batch]),
      row(hoisted, cpp.simulator[batch], peer.hoisted[batch]),
      row(inTypeScript, typescript[batch], cpp.simulator[batch]),
    ];
  });
}

/** A peer that computed something else would be no peer: its reset and its rounding differ, its conclusions may not. */
async function checkSameModel(peerArgmax: readonly number[]): Promise<void> {
  const engine = new LocalEngine({ id: 'local', modelsDir: MODELS, workers: 1 });
  await engine.start();
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  let same = 0;
  for (const [index, { data }] of readHeldout().entries()) {
    const { spikeCounts } = await engine.infer({ model: 'supersense', version: 1, shape: [768], data }, context);
    if (spikeCounts.indexOf(Math.max(...spikeCounts)) === peerArgmax[index]) same += 1;
  }
  await engine.stop();
  const share = same / peerArgmax.length;
  if (share < 0.95) throw new Error(`snnTorch agrees on ${(share * 100).toFixed(1)} % of the labels only`);
}

interface GoogleBenchmark {
  readonly benchmarks: { readonly name: string; readonly real_time: number; readonly time_unit: string }[];
}

async function cppMicroseconds(): Promise<{ simulator: PerBatch; dense: PerBatch }> {
  const args = [
    '--model',
    join(MODELS, 'supersense'),
    '--benchmark_format=json',
    '--benchmark_filter=^(simulator|dense)/',
  ];
  const { stdout } = await runFile(BENCH, args);
  const { benchmarks } = JSON.parse(stdout) as GoogleBenchmark;
  const us = (name: string, batch: number): number => {
    const found = benchmarks.find((each) => each.name === `${name}/${batch}`);
    if (found === undefined) throw new Error(`tandem-bench has no ${name}/${batch}`);
    return (found.real_time * { ns: 1e-3, us: 1, ms: 1e3, s: 1e6 }[found.time_unit as 'us']) / batch;
  };
  return {
    simulator: { 1: us('simulator', 1), 64: us('simulator', 64) },
    dense: { 1: us('dense', 1), 64: us('dense', 64) },
  };
}

interface Peer {
  readonly loop: PerBatch;
  readonly hoisted: PerBatch;
  readonly argmax: readonly number[];
  readonly version: string;
}

async function snnTorch(): Promise<Peer> {
  const nir = join(MODELS, 'supersense/1/model.nir');
  const encodings = join(ROOT, 'test/data/supersense/heldout.f16');
  const { stdout } = await runFile(PYTHON, [join(import.meta.dirname, 'snntorch_peer.py'), nir, encodings]);
  return JSON.parse(stdout) as Peer;
}

/** What the router would see: worker thread, messages and all. */
async function localMicroseconds(batch: number): Promise<number> {
  const engine = new LocalEngine({ id: 'local', modelsDir: MODELS, workers: 1 });
  await engine.start();
  const inputs = readHeldout().map(({ data }) => ({ model: 'supersense', version: 1, shape: [768], data }));
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  const times: number[] = [];
  const endMs = performance.now() + SECONDS * 1_000;
  for (let at = 0; performance.now() < endMs; at = (at + batch) % (inputs.length - batch)) {
    const startedMs = performance.now();
    await Promise.all(inputs.slice(at, at + batch).map((input) => engine.infer(input, context)));
    times.push(((performance.now() - startedMs) * 1_000) / batch);
  }
  await engine.stop();
  return times.sort((a, b) => a - b)[times.length >> 1] ?? NaN;
}
