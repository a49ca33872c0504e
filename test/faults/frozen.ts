// The router is stopped. One caller continues to send: thousands of its requests wait in buffers, although their
// deadlines have passed. Another caller returns when the router continues.
import { type LoadRequest, type LoadResult, paceLoad } from '../support/load.ts';
import { run } from '../support/process.ts';
import { DEADLINE_MS, MIXED_RATE_PER_S } from './fault-play.ts';
import { untilConnected } from './judging.ts';
import { type Outcome, type Scenario, failures, ms, pause, percentile, rounded, tookMs } from './scenario.ts';
import type { Router } from './stage.ts';

const WARM_MS = 3_000;
const CALM_MS = 3_000;
const AFTER_MS = 5_000;
const RECOVERS_MS = 1_000;
/** Of the caller that is measured, requests a second. */
const RATE_PER_S = 100;

export async function freeze({ pid }: Router, forMs: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await pause(forMs);
  process.kill(pid, 'SIGCONT');
}

function frozen(seconds: number): Scenario {
  return {
    name: `frozen-${seconds}`,
    fault: `SIGSTOP of the router for ${seconds} s`,
    settings: {},
    bar: 'another caller is served within 1 s',
    async run(stage) {
      const router = await stage.router(this.settings, await stage.sidecars(3));
      await untilConnected(router.operator, ['engine-1', 'engine-2', 'engine-3']);
      const { inputs } = stage;
      const rate = Math.min(MIXED_RATE_PER_S, stage.options.rate);
      const args = ['--address', router.address, '--rate', `${rate}`, '--deadline', `${DEADLINE_MS}`];
      const stale = run('test/faults/stale-caller.ts', args);
      stage.onEnd(() => stale.child.kill('SIGKILL'));
      const system = stage.caller(router.address);
      const send = (): ReturnType<typeof paceLoad> =>
        paceLoad({ system, inputs, ratePerS: RATE_PER_S, deadlineMs: DEADLINE_MS });
      const before = send();
      await pause(WARM_MS + CALM_MS);
      const beganMs = performance.now();
      const calm = await before.stop();
      await freeze(router, seconds * 1_000);
      const endMs = performance.now();
      const after = send();
      await pause(AFTER_MS);
      const back = await after.stop();
      stale.child.kill('SIGTERM');
      const { code, stdout, stderr } = await stale.finished;
      if (code !== 0) throw new Error(`the stale caller ended with ${code}: ${stderr}`);
      return judge(calm, beganMs, back, endMs, JSON.parse(stdout) as Record<string, number>);
    },
  };
}

function judge(
  calm: LoadResult,
  beganMs: number,
  back: LoadResult,
  endMs: number,
  stale: Record<string, number>,
): Outcome {
  const isOk = ({ outcome }: LoadRequest): boolean => outcome === 'OK';
  const p99 = (requests: readonly LoadRequest[]): number => percentile(requests.map(tookMs), 99);
  const first = back.requests.filter(({ dueMs }) => dueMs < endMs + RECOVERS_MS);
  const later = back.requests.filter(({ dueMs }) => dueMs >= endMs + RECOVERS_MS);
  const failedLater = later.filter((each) => !isOk(each)).length;
  const lastFailureMs = Math.max(0, ...back.failed.map((each) => each.endMs - endMs));
  const calmMs = p99(calm.requests.filter(({ dueMs }) => dueMs >= beganMs - CALM_MS));
  const laterMs = p99(later);
  return {
    figures: {
      stale,
      first: first.length,
      failed_first: failures(first),
      first_p99_ms: rounded(p99(first.filter(isOk))),
      later: later.length,
      failed_later: failures(later),
      last_failure_ms: rounded(lastFailureMs),
      healthy_p99_ms: rounded(calmMs),
      later_p99_ms: rounded(laterMs),
    },
    measured:
      `the caller that went on: ${JSON.stringify(stale)}; the other: ${back.failed.length - failedLater} of ${first.length} failed in ` +
      `the first second, ${failedLater} of ${later.length} later, the last failure ${ms(lastFailureMs)} after it; ` +
      `p99 ${ms(calmMs)} → ${ms(p99(first))} → ${ms(laterMs)}`,
    passed: failedLater === 0,
    missed: laterMs > 2 * calmMs ? [`p99 ${ms(laterMs)} of ${ms(2 * calmMs)}`] : [],
  };
}

export const frozenScenarios: readonly Scenario[] = [1, 10, 40].map(frozen);
