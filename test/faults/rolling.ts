// Every sidecar is stopped and started again, one after the other, as in a rolling deployment.
import { paceLoad } from '../support/load.ts';
import { until } from '../support/until.ts';
import { type Scenario, failures, ms, p99Ms, pause, rounded } from './scenario.ts';

const ROUNDS = 2;

export const rolling: Scenario = {
  name: 'rolling',
  fault: 'rolling restart of three sidecars, twice',
  settings: {},
  bar: '0 failed',
  async run(stage) {
    const sidecars = await stage.sidecars(3);
    const router = await stage.router(this.settings, sidecars);
    const ratePerS = await stage.sustainedRate(router);
    const load = paceLoad({ system: router, inputs: stage.inputs, ratePerS, deadlineMs: 5_000 });
    await pause(2_000);
    const fromMs = performance.now();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [at, sidecar] of sidecars.entries()) {
        await sidecar.stop();
        await sidecar.restart();
        await pause(100);
        const isBack = async (): Promise<boolean> => {
          const { state, breaker } = await router.operator.engine(`engine-${at + 1}`);
          return state === 1 && breaker === 1;
        };
        await until(isBack, { what: 'its return', timeoutMs: 10_000 });
        await pause(500);
      }
    }
    const toMs = performance.now();
    await pause(500);
    const { requests, failed } = await load.stop();
    const [calm, rolled] = [p99Ms(requests, fromMs - 1_500, fromMs), p99Ms(requests, fromMs, toMs)];
    const retried = requests.filter(({ attempts }) => attempts.length > 1).length;
    return {
      figures: {
        rate_per_s: ratePerS,
        requests: requests.length,
        failed: failures(requests),
        retried,
        calm_p99_ms: rounded(calm),
        rolling_p99_ms: rounded(rolled),
      },
      measured:
        `${failed.length} of ${requests.length} failed at ${ratePerS}/s, ${retried} asked a second engine; ` +
        `p99 ${ms(calm)} before, ${ms(rolled)} meanwhile`,
      passed: failed.length === 0,
      missed: [],
    };
  },
};
