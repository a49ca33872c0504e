// One of three sidecars is killed, with open requests.
import { paceLoad } from '../support/load.ts';
import { until } from '../support/until.ts';
import { type Scenario, failures, ms, p99Ms, pause, rounded } from './scenario.ts';

const ROUNDS = 3;
const CALM_MS = 2_500;
const AFTER_MS = 4_000;
const RECOVERY_BAR_MS = 1_000;

export const killed: Scenario = {
  name: 'killed',
  fault: 'kill -9 one of three sidecars',
  settings: { request_timeout_ms: 2_000 },
  bar: '0 failed; p99 under twice normal within 1 s',
  async run(stage) {
    const sidecars = await stage.sidecars(3);
    const router = await stage.router(this.settings, sidecars);
    const ratePerS = await stage.sustainedRate(router);
    const load = paceLoad({ system: router, inputs: stage.inputs, ratePerS, deadlineMs: 2_000 });
    const harms: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await pause(CALM_MS);
      harms.push(performance.now());
      await sidecars[round]!.kill();
      await pause(AFTER_MS);
      await sidecars[round]!.restart();
      const isBack = async (): Promise<boolean> => {
        const { state, breaker } = await router.operator.engine(`engine-${round + 1}`);
        return state === 1 && breaker === 1;
      };
      await until(isBack, { what: 'its return', timeoutMs: 10_000 });
    }
    const result = await load.stop();
    const rounds = harms.map((harmMs) => {
      const calmMs = p99Ms(result.requests, harmMs - CALM_MS + 500, harmMs);
      return {
        calm_p99_ms: rounded(calmMs),
        first_second_p99_ms: rounded(p99Ms(result.requests, harmMs, harmMs + RECOVERY_BAR_MS)),
        later_p99_ms: rounded(p99Ms(result.requests, harmMs + RECOVERY_BAR_MS, harmMs + AFTER_MS)),
      };
    });
    const failed = result.failed.length;
    const figures = {
      rate_per_s: ratePerS,
      requests: result.requests.length,
      failed: failures(result.requests),
      rounds,
    };
    const slow = rounds.filter((each) => each.later_p99_ms > 2 * each.calm_p99_ms);
    const list = (key: keyof (typeof rounds)[number]): string => rounds.map((each) => each[key]).join('/');
    return {
      figures,
      measured:
        `${failed} of ${result.requests.length} failed at ${ratePerS}/s; p99 ${list('calm_p99_ms')} ms, in the second ` +
        `after ${list('first_second_p99_ms')} ms, from then on ${list('later_p99_ms')} ms`,
      passed: failed === 0,
      missed: slow.map((each) => `p99 ${ms(each.later_p99_ms)} of ${ms(2 * each.calm_p99_ms)}`),
    };
  },
};
