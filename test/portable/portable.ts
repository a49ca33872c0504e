// The engine's image on old and other CPUs: `npm run test:portable`, which builds it first.
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { INPUTS_A_CASE, generate } from '../fuzz/generate.ts';
import { MACHINES } from './machines.ts';
import { type Count, tryMachine } from './try-machine.ts';

const HEAD = ['MACHINE', 'CPU', 'INSTRUCTION SET', 'KNOWN DIGESTS EQUAL', 'RANDOM NETWORKS EQUAL', 'SECONDS', 'LIKE'];
const FIRST_SEED = 4_000_000;

const { values } = parseArguments({ options: { pairs: { type: 'string', default: '100' } } });
const count = Math.ceil(Number(values.pairs) / INPUTS_A_CASE);
const cases = Array.from({ length: count }, (_, n) => generate(FIRST_SEED + n));

const text = ({ equal, of }: Count): string => `${equal} of ${of}`;
const rows: (string | number)[][] = [];
for (const machine of MACHINES) {
  const { arch, cpu = 'native', like } = machine;
  const started = performance.now();
  console.log(`${arch}, ${cpu}…`);
  const { simd, golden, random, faults } = await tryMachine(machine, cases);
  for (const fault of faults) console.log(`  ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
  const seconds = Math.round((performance.now() - started) / 1000);
  rows.push([arch, cpu, simd, text(golden), text(random), seconds, like]);
}
console.log(`\n${table(HEAD, rows)}`);
