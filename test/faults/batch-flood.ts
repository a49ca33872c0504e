// One caller sends a thousand batches at once, each with 4 MB of empty items. Another one sends good requests.
import { closedLoad } from '../support/load.ts';
import { run } from '../support/process.ts';
import { untilConnected } from './judging.ts';
import { type Scenario, failures, ms, pause, percentile, rounded, tookMs } from './scenario.ts';
import type { Caller, Stage } from './stage.ts';

const BATCHES = 1_000;
const ALONE_MS = 5_000;
const IN_FLIGHT = 4;

export const batchFlood: Scenario = {
  name: 'batch-flood',
  fault: `${BATCHES} batches at once, each of 4 MB of empty items`,
  settings: {},
  bar: "refused; another caller's p99 ≤ 3 ×, 0 of its requests fail",
  async run(stage) {
    const router = await stage.router(this.settings, await stage.sidecars(3));
    await untilConnected(router.operator, ['engine-1', 'engine-2', 'engine-3']);
    const caller = stage.caller(router.address);
    await measured(stage, caller, pause(ALONE_MS)); // for the JIT compiler
    const alone = await measured(stage, caller, pause(ALONE_MS));
    const beganMs = performance.now();
    const args = ['--address', router.address, '--count', String(stage.options.count ?? BATCHES)];
    const flooder = run('test/faults/batch-flooder.ts', args);
    const beside = await measured(stage, caller, flooder.finished);
    const seconds = (performance.now() - beganMs) / 1_000;
    const { stdout, stderr, code } = await flooder.finished;
    if (code !== 0) throw new Error(`the flooder ended with ${code}: ${stderr}`);
    const statuses = JSON.parse(stdout) as Record<string, number>;
    const mb = router.rssBytes() / 1_048_576;
    const isRefused = Object.keys(statuses).every(
      (name) => name === 'INVALID_ARGUMENT' || name === 'RESOURCE_EXHAUSTED',
    );
    const failed = Object.values(beside.failed).reduce((sum, count) => sum + count, 0);
    return {
      figures: { alone, beside, statuses, seconds: rounded(seconds), rss_mb: rounded(mb) },
      measured:
        `batches: ${JSON.stringify(statuses)} in ${seconds.toFixed(1)} s; the other's p50 ${ms(alone.p50_ms)} → ${ms(beside.p50_ms)}, ` +
        `p99 ${ms(alone.p99_ms)} → ${ms(beside.p99_ms)}, ${failed} of ${beside.requests} failed; router ${mb.toFixed(0)} MB`,
      passed: isRefused && failed === 0,
      missed: beside.p99_ms > 3 * alone.p99_ms ? [`p99 ${ms(beside.p99_ms)} of ${ms(3 * alone.p99_ms)}`] : [],
    };
  },
};

interface Measured {
  readonly requests: number;
  readonly failed: Record<string, number>;
  readonly p50_ms: number;
  readonly p99_ms: number;
}

/** Keeps a few requests open until `end`. */
async function measured({ inputs }: Stage, system: Caller, end: Promise<unknown>): Promise<Measured> {
  const load = closedLoad({ system, inputs, total: Infinity, inFlight: IN_FLIGHT, deadlineMs: 10_000 });
  await end;
  const { requests } = await load.stop();
  const times = requests.map(tookMs);
  return {
    requests: requests.length,
    failed: failures(requests),
    p50_ms: rounded(percentile(times, 50)),
    p99_ms: rounded(percentile(times, 99)),
  };
}
