// One wrong process has two ids and two addresses: it must not be a majority alone.
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { refusalOf } from '../support/refusal.ts';
import { NEVER_OUT, SINGLE_STRATEGIES, ask, judged, total, untilConnected, whileReadmitted } from './judging.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS = 4_000;
const IDS = ['engine-1', 'engine-2', 'engine-3', 'engine-4'];

export const duplicate: Scenario = {
  name: 'duplicate',
  fault: 'three engines; a wrong one has two ids',
  settings: { strategy: 'REDUNDANT', vote: { audit_rate: 0.05 } },
  bar: '0 wrong, 0 failed in votes; never two ballots; both ids are named; RegisterEngine refuses a third',
  async run(stage) {
    const truths = await stage.truths();
    const honest = await stage.sidecars(2);
    const [liar] = await stage.faulty('runs=1');
    const [second, third] = [await stage.link(liar!), await stage.link(liar!)];
    const router = await stage.router({ ...this.settings, ...NEVER_OUT }, [liar!, second, ...honest]);
    await untilConnected(router.operator, IDS);
    const listed = await router.operator.engines();
    const registered = await refusalOf(router.operator.register('engine-5', third.address));
    const count = stage.options.count ?? REQUESTS;
    const voted = await whileReadmitted(router, () => ask(stage, router, 'REDUNDANT', count));
    const votes = judged(voted, truths);
    const ballots = voted.requests.map(({ response }) => (response?.vote?.ballots ?? []).map((each) => each.engineId));
    const twice = ballots.filter((ids) => ids.includes('engine-1') && ids.includes('engine-2')).length;
    const single: Record<string, Record<string, number>> = {};
    for (const strategy of SINGLE_STRATEGIES) {
      single[strategy] = judged(await ask(stage, router, strategy, Math.ceil(count / 10)), truths).failed;
    }
    const duplicates = listed.filter(({ state }) => state === EngineState.ENGINE_STATE_DUPLICATE);
    const named = duplicates.map(({ id, duplicateOf }) => `${id} is ${duplicateOf}`);
    const failed = total(Object.values(votes.failed));
    const singleFailed = total(Object.values(single).flatMap((each) => Object.values(each)));
    const isRefused = registered.reason === 'ENGINE_EXISTS' && registered.message.includes('engine-1');
    return {
      figures: { votes, single, twice, named, registered },
      measured:
        `${votes.wrong} wrong and ${failed} failed of ${votes.requests} votes, ${twice} with two ballots of one process; ` +
        `${singleFailed} failed without a vote; listed: ${named.join(', ') || 'nothing'}; ` +
        `a third id: ${registered.reason || registered.code}`,
      passed: votes.wrong === 0 && failed === 0 && singleFailed === 0 && twice === 0 && named.length === 1 && isRefused,
      missed: [],
    };
  },
};
