// Simulated schedules of the router's parts: `node test/sim/main.ts --schedules 10000`. See --help.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArguments } from '../support/arguments.ts';
import { INVARIANTS } from './invariants.ts';
import type { Failure, Job, Progress } from './worker.ts';

const HELP = `Runs the real pool, breakers, votes, attempts, hedges, cache, quarantine, audits, admission and retry budget on a
virtual clock, against simulated engines that are slow, stall, hang, stop reading, crash and return, are full, lie, refuse, give malformed
answers, are one process under two ids, or are found by a name that moves, as a schedule says that is drawn from the seed. What
must hold in each:

${Object.entries(INVARIANTS)
  .map(([name, meaning]) => `  ${name.padEnd(11)} ${meaning}`)
  .join('\n')}
  replay      a schedule runs the same way twice (tried with 1 % of them)

  --schedules N   how many (10000)
  --seed S        (taken from the clock)
  --only K        only schedule K, and everything that happens in it
  --processes P   at once (2)
  --failures F    give up after so many broken schedules (1)
  --counts        what came of the requests, by outcome
  --help

Ends with 1 if an invariant is broken.

Example: npm run test:sim -- --schedules 100000`;

async function main(): Promise<number> {
  const { values } = parseArguments({
    options: {
      schedules: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      only: { type: 'string' },
      processes: { type: 'string', default: '2' },
      failures: { type: 'string', default: '1' },
      counts: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const seed = Number(values.seed);
  const only = values.only === undefined ? undefined : Number(values.only);
  const schedules = only === undefined ? Number(values.schedules) : 1;
  const processes = only === undefined ? Math.min(Number(values.processes), schedules) : 1;
  const most = Number(values.failures);
  if (![seed, schedules, processes, most, only ?? 0].every((value) => Number.isInteger(value) && value >= 0)) {
    console.error('--schedules, --seed, --only, --processes and --failures take whole numbers');
    return 2;
  }
  const startedMs = performance.now();
  const seconds = (): string => ((performance.now() - startedMs) / 1_000).toFixed(1);
  const total = { schedules: 0, requests: 0, answered: 0, replayed: 0, failures: 0 };
  const counts: Record<string, number> = {};
  const onProgress = (progress: Progress): void => {
    for (const name of ['schedules', 'requests', 'answered', 'replayed'] as const) total[name] += progress[name];
    for (const [name, count] of Object.entries(progress.counts)) counts[name] = (counts[name] ?? 0) + count;
    for (const failure of progress.failures) {
      total.failures += 1;
      if (total.failures <= most) print(failure, seed);
    }
    if (process.stdout.isTTY) process.stdout.write(`\r${total.schedules} of ${schedules} schedules, ${seconds()} s `);
  };
  console.log(`seed ${seed}`);
  const jobs = Array.from({ length: processes }, (_, n): Job => {
    const range =
      only === undefined ? { first: n, step: processes, end: schedules } : { first: only, step: 1, end: only + 1 };
    return { seed, ...range, most, wantsTrace: only !== undefined };
  });
  await Promise.all(jobs.map((job) => run(job, onProgress, () => total.failures >= most)));
  if (process.stdout.isTTY) process.stdout.write('\r');
  if (values.counts) {
    for (const [name, count] of Object.entries(counts).sort(([, a], [, b]) => b - a)) console.log(`${name} ${count}`);
    console.log(`replayed ${total.replayed}`);
  }
  console.log(
    `${total.schedules} schedules, ${total.requests} requests, ${total.failures} broken invariants, ${seconds()} s`,
  );
  return total.failures === 0 ? 0 : 1;
}

/** Resolves when the process has finished its part, or was stopped because of `isEnough`. */
function run(job: Job, onProgress: (progress: Progress) => void, isEnough: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'worker.ts'));
    let isDone = false;
    child.on('message', (progress: Progress) => {
      onProgress(progress);
      isDone ||= progress.isDone;
      if (isEnough()) child.kill();
    });
    child.on('exit', (code) => {
      if (isDone || isEnough()) resolve();
      else reject(new Error(`a process of the simulation ended early, with ${code}`));
    });
    child.send(job);
  });
}

function print({ schedule, invariant, what, trace }: Failure, seed: number): void {
  for (const line of trace) console.log(line);
  console.log(`--- schedule ${schedule} of seed ${seed}: ${what}`);
  console.log(`invariant  ${invariant}`);
  console.log(`replay     npm run test:sim -- --seed ${seed} --only ${schedule}`);
}

process.exitCode = await main();
