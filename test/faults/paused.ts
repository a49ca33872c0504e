// One of three sidecars is stopped: its connection is open, but it does not answer.
import { paceLoad } from '../support/load.ts';
import { until } from '../support/until.ts';
import { type Scenario, failures, ms, p99Ms, pause, rounded } from './scenario.ts';

const CALM_MS = 2_000;
const STILL_MS = 5_000;
const DEADLINE_MS = 2_000;
const EJECTION_BAR_MS = 1_000;

export const paused: Scenario = {
  name: 'paused',
  fault: 'SIGSTOP one of three sidecars',
  settings: {},
  bar: '0 past their deadline of 2 s; ejected within 1 s; back after SIGCONT',
  async run(stage) {
    const sidecars = await stage.sidecars(3);
    const router = await stage.router(this.settings, sidecars);
    const ratePerS = await stage.sustainedRate(router);
    const load = paceLoad({ system: router, inputs: stage.inputs, ratePerS, deadlineMs: DEADLINE_MS });
    await pause(CALM_MS);
    const works = async (): Promise<boolean> => {
      const { state, breaker } = await router.operator.engine('engine-2');
      return state === 1 && breaker === 1;
    };
    const harmMs = performance.now();
    await sidecars[1]!.pause();
    await until(async () => !(await works()), { what: 'its ejection', timeoutMs: 10_000 });
    const ejectedMs = performance.now() - harmMs;
    await pause(STILL_MS - ejectedMs);
    const resumedMs = performance.now();
    sidecars[1]!.resume();
    const back = await until(works, { what: 'its return', timeoutMs: 15_000 }).catch(() => false);
    const backMs = performance.now() - resumedMs;
    await pause(3_000); // setting slow_start_ms, and a second more
    const { requests, failed } = await load.stop();
    const late = requests.filter(({ startMs, endMs }) => endMs - startMs > DEADLINE_MS).length;
    const answered = requests.filter(
      ({ engineId, startMs }) => engineId === 'engine-2' && startMs > resumedMs + backMs,
    ).length;
    const slowestMs = Math.max(...requests.map(({ startMs, endMs }) => endMs - startMs));
    return {
      figures: {
        rate_per_s: ratePerS,
        requests: requests.length,
        failed: failures(requests),
        past_deadline: late,
        slowest_ms: rounded(slowestMs),
        ejected_ms: rounded(ejectedMs),
        back_ms: rounded(backMs),
        answered_after_return: answered,
        calm_p99_ms: rounded(p99Ms(requests, harmMs - CALM_MS, harmMs)),
        still_p99_ms: rounded(p99Ms(requests, harmMs + ejectedMs, resumedMs)),
      },
      measured:
        `${failed.length} of ${requests.length} failed at ${ratePerS}/s, ${late} past 2 s (slowest ${ms(slowestMs)}); ` +
        `ejected after ${ms(ejectedMs)}; back ${ms(backMs)} after SIGCONT, then ${answered} answers`,
      passed: failed.length === 0 && late === 0 && back && answered > 0,
      missed: ejectedMs > EJECTION_BAR_MS ? [`ejected after ${ms(ejectedMs)}`] : [],
    };
  },
};
