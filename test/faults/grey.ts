// One engine of three is faulty: it answers Describe, but handles inputs wrongly.
import {
  type Harm,
  answerLate,
  answerTwice,
  answerUnknownIds,
  flood,
  stopReading,
  refuseWith,
  ignoreInputs,
} from '../fakes/grey-harms.ts';
import { SOON_ALERTS, judgeEngine, playFault } from './fault-play.ts';
import { untilConnected } from './judging.ts';
import type { Scenario } from './scenario.ts';

const LATE_MS = 1_900;
const IDS = ['engine-1', 'engine-2', 'engine-3'];

function grey(name: string, fault: string, harm: Harm): Scenario {
  return {
    name: `grey-${name}`,
    fault: `one engine of three ${fault}`,
    settings: SOON_ALERTS,
    bar: '≤ 0.3 % failed in the first 2 s, 0 after; out within 2 s; named in engines, an event, an alert',
    async run(stage) {
      const truths = await stage.truths();
      const [behind, ...honest] = await stage.sidecars(3);
      const engine = await stage.programmable(behind!);
      const router = await stage.router(this.settings, [engine, ...honest]);
      await untilConnected(router.operator, IDS);
      let end = (): void => undefined;
      const begin = (): void => void (end = harm(engine));
      return judgeEngine(await playFault(stage, { router, id: 'engine-1', truths, begin, end: () => end() }));
    },
  };
}

export const greyScenarios: readonly Scenario[] = [
  grey('ignores', 'ignores inputs', ignoreInputs),
  grey('unknown-ids', 'answers with unknown ids', answerUnknownIds),
  grey('doubled', 'sends each answer twice', answerTwice),
  grey('late', `answers after ${LATE_MS} ms`, answerLate(LATE_MS)),
  grey('unread', 'stops reading its streams', stopReading),
  grey('flood', 'ignores inputs and sends 4,000 empty messages a second', flood),
  grey('cancelled', 'says CANCELLED to everything', refuseWith('CANCELLED')),
  grey('deadline', 'says DEADLINE_EXCEEDED to everything', refuseWith('DEADLINE_EXCEEDED')),
];
