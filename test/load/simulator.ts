// The simulators: C++ and TypeScript against their peers on three networks, C++ against a plain dense loop, and the
// share of the machine's limits that each layer reaches.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Row } from './row.ts';
import { measureNetwork, type SubjectFigures } from './simulator/measure.ts';
import { makeNetworks, NETWORK_TITLES, type NetworkName } from './simulator/networks.ts';
import { networkRows, printNetwork, rowNames } from './simulator/print.ts';
import { measureRoofline, printRoofline, type Roofline } from './simulator/roofline.ts';

const BUILD = join(import.meta.dirname, '../../sidecar-cpp/build/release');
const SECONDS = 0.2;

const runFile = promisify(execFile);

const DENSE_BATCHES = [1, 64];
const denseName = (batch: number): string =>
  `C++ simulator vs dense loop in C++, supersense, ${batch === 1 ? 'one' : batch} at a time`;

export const NETWORKS = Object.keys(NETWORK_TITLES) as NetworkName[];

interface SimulatorOptions {
  readonly networks: readonly NetworkName[];
  readonly rounds: number;
  readonly progress: (text: string) => void;
}

export interface SimulatorFigures {
  readonly networks: Partial<Record<NetworkName, readonly SubjectFigures[]>>;
  readonly rooflines: Partial<Record<NetworkName, Roofline>>;
  readonly rows: readonly Row[];
}

/** The measured networks. */
export const simulatorNames = (): string[] => [...NETWORKS.flatMap(rowNames), ...DENSE_BATCHES.map(denseName)];

export async function benchSimulator({ networks, rounds, progress }: SimulatorOptions): Promise<SimulatorFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  try {
    progress('making the networks');
    const made = makeNetworks(folder);
    const figures: Partial<Record<NetworkName, readonly SubjectFigures[]>> = {};
    const rooflines: Partial<Record<NetworkName, Roofline>> = {};
    const rows: Row[] = [];
    for (const name of networks) {
      const measured = await measureNetwork(made[name], { rounds, seconds: SECONDS, progress });
      figures[name] = measured;
      rows.push(...networkRows(name, measured));
      progress(`${name}: roofline`);
      const roofline = await measureRoofline(made[name]);
      if (roofline !== undefined) rooflines[name] = roofline;
    }
    if (networks.includes('supersense')) rows.push(...(await denseRows(progress)));
    return { networks: figures, rooflines, rows };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function printSimulator({ networks, rooflines }: SimulatorFigures): string {
  const tables = Object.entries(networks).map(([name, figures]) => printNetwork(name as NetworkName, figures));
  const limits = Object.entries(rooflines).map(([name, roofline]) => printRoofline(name as NetworkName, roofline));
  return [...tables, ...limits].join('\n\n');
}

interface GoogleBenchmark {
  readonly benchmarks: { readonly name: string; readonly cpu_time: number; readonly time_unit: string }[];
}

async function denseRows(progress: (text: string) => void): Promise<Row[]> {
  progress('C++ simulator and dense loop');
  const args = ['--benchmark_format=json', '--benchmark_filter=^(simulator|dense)/'];
  const { stdout } = await runFile(join(BUILD, 'tandem-bench'), args);
  const { benchmarks } = JSON.parse(stdout) as GoogleBenchmark;
  const us = (name: string, batch: number): number => {
    const found = benchmarks.find((each) => each.name === `${name}/${batch}`);
    if (found === undefined) throw new Error(`tandem-bench has no ${name}/${batch}`);
    return (found.cpu_time * { ns: 1e-3, us: 1, ms: 1e3, s: 1e6 }[found.time_unit as 'us']) / batch;
  };
  return DENSE_BATCHES.map((batch) => ({
    what: denseName(batch),
    ours: us('simulator', batch),
    peer: us('dense', batch),
    unit: 'µs/input',
    ratio: us('dense', batch) / us('simulator', batch),
    reads: 'times as fast',
  }));
}
