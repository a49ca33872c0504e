// `npm run bench`: every figure is a ratio to a peer that is measured in the same run, on the same inputs, interleaved.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { benchMemory } from './memory.ts';
import { compareRows } from './path/compare.ts';
import { drawLatency } from './path/picture.ts';
import { printPath } from './path/print.ts';
import { type PathFigures, toRows } from './path/results.ts';
import { subjectNames } from './path/stage.ts';
import { benchPath } from './path.ts';
import type { Row } from './row.ts';
import { benchSimulator, NETWORKS, printSimulator, type SimulatorFigures, simulatorNames } from './simulator.ts';

const BASELINE = join(import.meta.dirname, 'baseline.json');

const HELP = `Measures Tandem against its peers, all in this run, and prints ratios.

Usage: npm run bench -- [options]

  --only PART             simulator or path: one part only; memory: the router's memory over many requests, which no other
                          run measures
  --network NAME          of the simulator's part only this one: supersense, deep or events
  --requests N            of the memory part (default 1000000; two to five minutes)
  --rounds N              interleaved rounds (default 5)
  --seconds N             of one measurement of the path's part (default 1.5)
  --quick                 the path's part in two minutes: two rounds of half a second
  --json FILE             also write every figure as JSON
  --compare FILE          also compare the ratios with those of a file that --json has written; "baseline": the one in the
                          tree, test/load/baseline.json
  --picture FILE          also draw latency against load (SVG)
  --list                  only say what would be measured
  --help                  this text

The simulator's part wants PyTorch, JAX and the libraries on them (scripts/bench puts them into ~/.cache/tandem-bench,
gigabytes, once); all of it runs on one thread, and the smaller of CPU time and elapsed time counts. The path's part wants
Debian's haproxy and nginx, and Envoy. Close other programs first: the machine's noise is in the figures.

Examples: npm run bench -- --only path --rounds 9 --json bench.json
          npm run bench -- --only path --quick --compare baseline
`;

interface Report {
  readonly rows: readonly Row[];
  readonly simulator: SimulatorFigures | undefined;
  readonly path: PathFigures | undefined;
}

const { values } = parseArguments({
  options: {
    only: { type: 'string' },
    network: { type: 'string' },
    requests: { type: 'string', default: '1000000' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    compare: { type: 'string' },
    picture: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else if (values.list) {
  process.stdout.write(`${[...simulatorNames(), ...subjectNames().map((name) => `path: ${name}`)].join('\n')}\n`);
} else if (values.only === 'memory') {
  await memory();
} else {
  await bench();
}

function progress(text: string): void {
  process.stderr.write(`  … ${text}\n`);
}

async function memory(): Promise<void> {
  const samples = await benchMemory({ requests: Number(values.requests), progress });
  const lines = samples.map(({ requests, rssMb }) => [String(requests), rssMb.toFixed(0)]);
  process.stdout.write(`\n${table(['REQUESTS', 'ROUTER MB'], lines)}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ memory: samples }, null, 2)}\n`);
}

async function bench(): Promise<void> {
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  const seconds = Number(values.seconds ?? (values.quick ? 0.5 : 1.5));
  // Checked before the measurement, which takes minutes.
  const compared = values.compare === undefined ? undefined : readReport(values.compare);
  const networks = NETWORKS.filter((name) => values.network === undefined || values.network === name);
  if (networks.length === 0) {
    process.stderr.write(`--network ${values.network}: there is none; one of ${NETWORKS.join(', ')}\n`);
    process.exit(2);
  }
  const simulator = values.only === 'path' ? undefined : await benchSimulator({ networks, rounds, progress });
  const path = values.only === 'simulator' ? undefined : await benchPath({ rounds, seconds, progress });
  const rows = [...(simulator?.rows ?? []), ...(path === undefined ? [] : toRows(path))];
  const report: Report = { rows, simulator, path };

  if (simulator !== undefined) process.stdout.write(`\n${printSimulator(simulator)}\n`);
  if (path !== undefined) process.stdout.write(`\n${printPath(path)}\n`);
  process.stdout.write(`\n${printRows(report.rows)}\n`);
  if (compared !== undefined) process.stdout.write(`\n${compareRows(report.rows, compared.rows)}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (values.picture !== undefined && path !== undefined) writeFileSync(values.picture, drawLatency(path));
}

function readReport(name: string): Report {
  const file = name === 'baseline' ? BASELINE : name;
  if (!existsSync(file)) {
    process.stderr.write(`--compare ${name}: there is no file ${file}; make one with --json\n`);
    process.exit(2);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}

function printRows(rows: readonly Row[]): string {
  const cell = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
  const lines = rows.map(({ what, ours, peer, unit, ratio, reads, bar }) => {
    const wanted = bar === undefined ? '' : `${cell(bar)} ${ratio >= bar ? 'reached' : 'missed'}`;
    return [what, cell(ours), cell(peer), unit, cell(ratio), reads, wanted];
  });
  return table(['WHAT', 'OURS', 'PEER', 'UNIT', 'RATIO', '', 'WANTED'], lines);
}
