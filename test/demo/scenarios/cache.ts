import { CacheStatus } from '../../../services/generated/tandem/v1/types.ts';
import { type LoadResult, closedLoad } from '../../support/load.ts';
import type { Scenario } from '../scenario.ts';

const INPUTS = 300;

export const cache: Scenario = {
  name: 'cache',
  title: 'Cache effect',
  why: 'Equal inputs are computed once. A cached answer has the same bytes, and needs no engine.',
  async run(stage, page) {
    // Inputs that no other scenario sends with the cache on.
    const inputs = stage.heldout.slice(-INPUTS);
    const pass = async (): Promise<LoadResult> =>
      await closedLoad({ system: stage.system, inputs, total: INPUTS, inFlight: 4 }).finished;
    const [first, second] = [await pass(), await pass()];
    page.bars([
      { name: 'first time', value: first.percentileMs(50), text: `p50 ${first.percentileMs(50).toFixed(2)} ms` },
      { name: 'again', value: second.percentileMs(50), text: `p50 ${second.percentileMs(50).toFixed(2)} ms` },
    ]);
    const hits = second.requests.filter(({ response }) => response?.cache === CacheStatus.CACHE_STATUS_HIT).length;
    page.claim(`the second time ${hits} of ${INPUTS} came from the cache`, hits === INPUTS);
    const digests = new Map(first.requests.map(({ input, response }) => [input, response?.stateDigest]));
    const equal = second.requests.every(({ input, response }) => digests.get(input) === response?.stateDigest);
    page.claim('every cached answer has the digest of the computed one', equal);
  },
};
