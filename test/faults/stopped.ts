// The router is stopped while hundreds of requests are open, since its engines answer late.
import { type LoadRequest, paceLoad } from '../support/load.ts';
import { type Scenario, ms, pause, rounded } from './scenario.ts';

const ROUNDS = 3;
const ENGINES_DELAY_MS = 200;
const RATE_SHARE = 0.5;

interface Round {
  readonly in_flight: number;
  readonly lost: readonly string[];
  readonly failed_before: number;
  readonly router_full: number;
  readonly sent_after: number;
  readonly answered_after: number;
  readonly odd_after: readonly string[];
  readonly exit_code: number | null;
  readonly exit_ms: number;
}

export const stopped: Scenario = {
  name: 'stopped',
  fault: 'SIGTERM to the router under load',
  settings: { drain_timeout_ms: 10_000, stall_timeout_ms: 5_000 },
  bar: '0 in flight lost; exit 0 within the drain time',
  async run(stage) {
    const sidecars = await stage.sidecars(2);
    const links = await Promise.all(sidecars.map((sidecar) => stage.link(sidecar)));
    const ratePerS = stage.options.rate * RATE_SHARE;
    // Slow from the start: if engines became slow suddenly, they would count as full, and requests would be refused.
    for (const link of links) link.delayMs = ENGINES_DELAY_MS;
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const router = await stage.router(this.settings, links);
      const warm = paceLoad({ system: router, inputs: stage.inputs, ratePerS, total: 3 * ratePerS });
      await warm.finished;
      const load = paceLoad({ system: router, inputs: stage.inputs, ratePerS, deadlineMs: 5_000 });
      await pause(1_500);
      const signalMs = performance.now();
      const exit = router.stop();
      await pause(200);
      const ending = load.stop();
      const code = await exit;
      const tookMs = performance.now() - signalMs;
      const { requests } = await ending;
      const inFlight = requests.filter(({ startMs, endMs }) => startMs <= signalMs && endMs > signalMs);
      // ROUTER_FULL is also an answer of a running router: refused, with a delay before a retry.
      const isLost = ({ outcome }: LoadRequest): boolean => outcome !== 'OK' && outcome !== 'ROUTER_FULL';
      const lost = inFlight.filter(isLost);
      const earlier = requests.filter((each) => each.endMs <= signalMs && isLost(each));
      const after = requests.filter(({ startMs }) => startMs > signalMs);
      const odd = after.filter((each) => each.code !== 'OK' && each.code !== 'UNAVAILABLE' && isLost(each));
      rounds.push({
        in_flight: inFlight.length,
        lost: lost.map(({ outcome, startMs }) => `${outcome}, sent ${rounded(signalMs - startMs)} ms before`),
        failed_before: earlier.length,
        router_full: requests.filter(({ outcome }) => outcome === 'ROUTER_FULL').length,
        sent_after: after.length,
        answered_after: after.filter(({ outcome }) => outcome === 'OK').length,
        odd_after: odd.map(({ outcome }) => outcome),
        exit_code: code,
        exit_ms: rounded(tookMs),
      });
      stage.progress(JSON.stringify(rounds.at(-1)));
    }
    const lost = rounds.reduce((sum, each) => sum + each.lost.length + each.failed_before + each.odd_after.length, 0);
    const list = (key: 'in_flight' | 'router_full' | 'exit_code' | 'sent_after' | 'answered_after'): string =>
      rounds.map((each) => each[key]).join('/');
    const slowestMs = Math.max(...rounds.map((each) => each.exit_ms));
    return {
      figures: { rate_per_s: ratePerS, rounds },
      measured:
        `${lost} lost of ${list('in_flight')} in flight (${list('router_full')} ROUTER_FULL); exit ${list('exit_code')}, at last after ${ms(slowestMs)}; ` +
        `${list('answered_after')} of ${list('sent_after')} sent later were answered, the rest UNAVAILABLE`,
      passed: lost === 0 && rounds.every((each) => each.exit_code === 0) && slowestMs <= 10_000,
      missed: [],
    };
  },
};
