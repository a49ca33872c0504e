// One of three engines answers 500 ms late.
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { type LoadResult, paceLoad } from '../support/load.ts';
import { type Scenario, failures, ms, rounded } from './scenario.ts';
import { type Router, type Stage, switchFaults } from './stage.ts';

const DELAY_MS = 500;
const RATE_PER_S = 200;
const SECONDS = 8;

export const slow: Scenario = {
  name: 'slow',
  fault: 'one of three engines 500 ms slow',
  settings: {},
  bar: 'HEDGED: p99 ≤ healthy p99 + hedge delay',
  async run(stage) {
    const [first, third] = await stage.sidecars(2);
    const [second] = await stage.faulty(`delay_ms=${DELAY_MS}`, { waits: true });
    const router = await stage.router(this.settings, [first!, second!, third!]);
    await loaded(stage, router, Strategy.STRATEGY_HEDGED, 3);
    const healthy = await loaded(stage, router, Strategy.STRATEGY_HEDGED);
    switchFaults(second!);
    const hedged = await loaded(stage, router, Strategy.STRATEGY_HEDGED);
    const turns = await loaded(stage, router, Strategy.STRATEGY_ROUND_ROBIN, 3);
    // With ROUND_ROBIN order it is asked every third time, as before the latencies of engines are known.
    const healthyMs = healthy.percentileMs(99);
    const delayMs = healthy.percentileMs(95); // setting hedged.percentile
    const hedgedMs = hedged.percentileMs(99);
    const all = [...healthy.requests, ...hedged.requests, ...turns.requests];
    const failed = all.filter(({ outcome }) => outcome !== 'OK').length;
    const limitMs = healthyMs + delayMs;
    const askedTwice = hedged.requests.filter(({ attempts }) => attempts.length > 1).length;
    return {
      figures: {
        rate_per_s: RATE_PER_S,
        failed: failures(all),
        healthy_p99_ms: rounded(healthyMs),
        hedge_delay_ms: rounded(delayMs),
        hedged_p99_ms: rounded(hedgedMs),
        hedged_max_ms: rounded(hedged.percentileMs(100)),
        hedged_asked_twice: askedTwice,
        hedged_per_engine: hedged.perEngine,
        round_robin_p99_ms: rounded(turns.percentileMs(99)),
      },
      measured:
        `healthy p99 ${ms(healthyMs)}, hedge delay (healthy p95) ${ms(delayMs)}, hedged p99 ${ms(hedgedMs)} ` +
        `(max ${ms(hedged.percentileMs(100))}, ${askedTwice} of ${hedged.requests.length} asked twice); ` +
        `ROUND_ROBIN p99 ${ms(turns.percentileMs(99))}; ${failed} failed`,
      passed: failed === 0,
      missed: hedgedMs > limitMs ? [`${ms(hedgedMs)} of ${ms(limitMs)}`] : [],
    };
  },
};

function loaded(stage: Stage, router: Router, strategy: Strategy, seconds = SECONDS): Promise<LoadResult> {
  const total = RATE_PER_S * seconds;
  return paceLoad({ system: router, inputs: stage.inputs, request: { strategy }, ratePerS: RATE_PER_S, total })
    .finished;
}
