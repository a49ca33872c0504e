// The time of a command of `npx tandem`, including start and connection, with a router on this machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { startRouter } from '../support/router-process.ts';

const HELP = `Runs commands of the command line again and again, and prints the elapsed times. The first runs fill the cache of compiled code
and do not count. "node -e 0" is what Node.js itself takes.

Usage: node test/load/cli-start.ts [options]

  --runs N      of each command (default 21)
  --help        this text

Example: node test/load/cli-start.ts --runs 9
`;

const TANDEM = join(import.meta.dirname, '../../services/cli/tandem.js');
const WARM_UP = 3;

const { values } = parseArguments({
  options: { runs: { type: 'string', default: '21' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) process.stdout.write(HELP);
else await measure(Number(values.runs));

async function measure(runs: number): Promise<void> {
  const router = await startRouter({ models_dir: 'deploy/models' });
  const tandem = (...words: string[]): string[] => [TANDEM, ...words, '--address', router.address];
  const commands: [name: string, args: string[]][] = [
    ['node -e 0', ['-e', '0']],
    ['tandem --version', tandem('--version')],
    ['tandem ping', tandem('ping')],
    ['tandem engines', tandem('engines')],
    ['tandem reason --sample dog', tandem('reason', '--sample', 'dog')],
  ];
  try {
    const times = commands.map((): number[] => []);
    for (let run = 0; run < WARM_UP + runs; run += 1) {
      for (const [index, [, args]] of commands.entries()) {
        const elapsed = await elapsedMs(args);
        if (run >= WARM_UP) times[index]!.push(elapsed);
      }
    }
    const rows = commands.map(([name], index) => {
      const sorted = times[index]!.sort((a, b) => a - b);
      return [name, Math.round(sorted[sorted.length >> 1]!), Math.round(sorted[0]!), Math.round(sorted.at(-1)!)];
    });
    process.stdout.write(`${table(['COMMAND', 'MEDIAN MS', 'LEAST', 'MOST'], rows)}\n`);
  } finally {
    await router.stop();
  }
}

async function elapsedMs(args: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`"${args.join(' ')}" ended with ${code}`);
  return performance.now() - startedMs;
}
