// Runs every n-th schedule in a separate process, since it has a virtual clock.
import { INVARIANTS } from './invariants.ts';
import { runSchedule, uncaught } from './run.ts';
import { seedOf } from './schedule.ts';
import { clock } from './virtual-clock.ts';

export interface Job {
  readonly seed: number;
  readonly first: number;
  readonly step: number;
  readonly end: number;
  readonly wantsTrace: boolean;
  /** Stops after this number of failures. */
  readonly most: number;
}

export interface Failure {
  readonly schedule: number;
  readonly invariant: string;
  readonly what: string;
  readonly trace: readonly string[];
}

/** Since the last one. */
export interface Progress {
  readonly schedules: number;
  readonly requests: number;
  readonly answered: number;
  readonly replayed: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
  readonly isDone: boolean;
}

const REPLAY_EVERY = 100;
const REPORT_EVERY = 200;

process.on('unhandledRejection', (why) => uncaught.push(why));
// Ends with its parent.
process.once('disconnect', () => process.exit());
process.once('message', (job: Job) => void work(job));

async function work({ seed, first, step, end, wantsTrace, most }: Job): Promise<void> {
  clock.install();
  if (!wantsTrace) Error.stackTraceLimit = 0; // errors are frequent here, and stacks are slow
  let failed = 0;
  let [schedules, requests, answered, replayed] = [0, 0, 0, 0];
  let failures: Failure[] = [];
  let counts: Record<string, number> = {};
  const report = (isDone: boolean): void => {
    process.send?.({ schedules, requests, answered, replayed, counts, failures, isDone } satisfies Progress);
    [schedules, requests, answered, replayed] = [0, 0, 0, 0];
    failures = [];
    counts = {};
  };
  for (let schedule = first; schedule < end && failed < most; schedule += step) {
    const its = seedOf(seed, schedule);
    const result = await runSchedule(its, wantsTrace);
    schedules += 1;
    requests += result.requests;
    answered += result.answered;
    for (const [name, count] of Object.entries(result.counts)) counts[name] = (counts[name] ?? 0) + count;
    const fail = (invariant: string, what: string): void => {
      failed += 1;
      failures.push({ schedule, invariant, what, trace: result.trace });
    };
    const { broken } = result;
    if (broken !== undefined) fail(`${broken.invariant}: ${INVARIANTS[broken.invariant]}`, broken.message);
    if ((schedule * 7) % REPLAY_EVERY === 0 || wantsTrace) {
      const again = await runSchedule(its);
      replayed += 1;
      if (again.hash !== result.hash) fail('replay: a schedule runs the same way twice', 'its trace differs');
    }
    if (failures.length > 0 || schedules === REPORT_EVERY) report(false);
  }
  report(true);
  process.disconnect();
}
