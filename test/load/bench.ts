// `npm run bench`: every figure a ratio against a peer measured in the same run, on the same inputs, interleaved.
import { parseArgs } from 'node:util';
import { writeFileSync } from 'node:fs';
import { table } from '../../services/cli/table.ts';
import { benchPath, pathNames } from './path.ts';
import type { Row } from './row.ts';
import { benchSimulator, simulatorNames } from './simulator.ts';

const HELP = `Measures Tandem against its peers, all in this run, and prints ratios.

Usage: npm run bench -- [options]

  --only simulator|path   one part only
  --rounds N              interleaved rounds of the path's part (default 5)
  --json FILE             also write every figure as JSON
  --list                  only say what would be measured
  --help                  this text

The simulator's part wants PyTorch and snnTorch (scripts/bench puts them into ~/.cache/tandem-bench, gigabytes, once);
the path's part wants Debian's haproxy. Close other programs first: the machine's noise is in the figures.

Example: npm run bench -- --only path --rounds 9 --json bench.json
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else if (values.list) {
  process.stdout.write(`${[...simulatorNames(), ...pathNames()].join('\n')}\n`);
} else {
  const progress = (text: string): void => void process.stderr.write(`  … ${text}\n`);
  const rows: Row[] = [
    ...(values.only === 'path' ? [] : await benchSimulator(progress)),
    ...(values.only === 'simulator' ? [] : await benchPath(Number(values.rounds), progress)),
  ];
  const head = ['WHAT', 'OURS', 'PEER', 'UNIT', 'RATIO', ''];
  const cell = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
  const lines = rows.map((row) => [row.what, cell(row.ours), cell(row.peer), row.unit, cell(row.ratio), row.reads]);
  process.stdout.write(`\n${table(head, lines)}\n`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
}
