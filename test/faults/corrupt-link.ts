// The link between the router and one engine flips bits that TCP's checksums do not detect.
import { refusalOf } from '../support/refusal.ts';
import { DisputeFile } from '../support/dispute-file.ts';
import { SINGLE_STRATEGIES, ask, judged, total } from './judging.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS = 10_000;
/** Few, so that most requests are in a separate chunk. */
const IN_FLIGHT = 4;
const TO_ENGINE = 0.03;
const TO_ROUTER = 0.02;
const STRATEGIES = ['REDUNDANT', ...SINGLE_STRATEGIES] as const;

export const corruptLink: Scenario = {
  name: 'corrupt-link',
  fault: 'one to three bits flip in 3 % and 2 % of the chunks to and from one engine of three',
  // The engine gets requests as soon as it is connected again, so most of its requests cross the link.
  settings: { vote: { audit_rate: 0.05 }, breaker: { reset_ms: 10 }, slow_start_ms: 0 },
  bar: '0 wrong, 0 failed; no dissent of the engine: a wrong checksum is a fault of the link',
  async run(stage) {
    const truths = await stage.truths();
    const [behind, ...honest] = await stage.sidecars(3);
    const count = Math.ceil((stage.options.count ?? REQUESTS) / STRATEGIES.length);
    const seed = Date.now() % 1_000_000;
    stage.progress(`seed ${seed}`);
    const link = await stage.corruptingLink(behind!, { seed, toEngine: TO_ENGINE, toRouter: TO_ROUTER });
    const disputes = new DisputeFile();
    const router = await stage.router({ ...this.settings, disputes: disputes.settings }, [link, ...honest]);
    const by: Record<string, ReturnType<typeof judged>> = {};
    for (const strategy of STRATEGIES) {
      by[strategy] = judged(await ask(stage, router, strategy, count, IN_FLIGHT), truths);
      stage.progress(`${strategy}: ${JSON.stringify(by[strategy])}, ${link.corrupted} of ${link.chunks} chunks`);
    }
    const { succeeded } = await router.operator.engine('engine-1');
    const metrics = await refusalOf(router.operator.metrics());
    await router.stop();
    const dissents = disputes.against('engine-1');
    const all = Object.values(by);
    const wrong = total(all.map((each) => each.wrong));
    const failed = total(all.flatMap((each) => Object.values(each.failed)));
    const { chunks, corrupted, connections } = link;
    return {
      figures: { seed, by, chunks, corrupted, connections, answers: Number(succeeded), dissents },
      measured:
        `${wrong} wrong and ${failed} failed of ${total(all.map(({ requests }) => requests))}, ` +
        `${corrupted} of ${chunks} chunks corrupted, ${connections} connections, ${succeeded} answers through the link; ` +
        `${dissents.length} dissents (seed ${seed})`,
      passed: wrong === 0 && failed === 0 && dissents.length === 0 && corrupted > 0 && metrics.code === 'OK',
      missed: succeeded === 0n ? ['the engine never answered'] : [],
    };
  },
};
