import { CacheMode, Strategy, strategyToJSON } from '../../../services/generated/tandem/v1/types.ts';
import { closedLoad } from '../../support/load.ts';
import type { Scenario } from '../scenario.ts';

const REQUESTS = 400;
const IN_FLIGHT = 8;
const COMPARED = [
  Strategy.STRATEGY_ROUND_ROBIN,
  Strategy.STRATEGY_LOCAL_FIRST,
  Strategy.STRATEGY_SIDECAR_FIRST,
  Strategy.STRATEGY_FASTEST,
  Strategy.STRATEGY_AFFINITY,
  Strategy.STRATEGY_HEDGED,
  Strategy.STRATEGY_REDUNDANT,
];

export const strategies: Scenario = {
  name: 'strategies',
  title: 'Comparison of the strategies',
  why: 'The same inputs with each strategy. Choose by your need: even load, low latency, affinity, or trust.',
  async run(stage, page) {
    const rows: (string | number)[][] = [];
    const failed: string[] = [];
    const shares = new Map<Strategy, Record<string, number>>();
    for (const strategy of COMPARED) {
      const name = strategyToJSON(strategy).replace('STRATEGY_', '');
      const startMs = performance.now();
      const load = closedLoad({
        system: stage.system,
        inputs: stage.heldout,
        request: { strategy, cache: CacheMode.CACHE_MODE_BYPASS },
        total: REQUESTS,
        inFlight: IN_FLIGHT,
      });
      const result = await load.finished;
      const perS = (REQUESTS / (performance.now() - startMs)) * 1_000;
      shares.set(strategy, result.perEngine);
      if (result.failed.length > 0) failed.push(name);
      const engines = Object.entries(result.perEngine)
        .sort()
        .map(([id, count]) => `${id.replace('engine-', '#')} ${((count / REQUESTS) * 100).toFixed(0)} %`);
      rows.push([name, Math.round(perS), ms(result.percentileMs(50)), ms(result.percentileMs(99)), engines.join('  ')]);
    }
    page.table(['STRATEGY', 'CALLS/S', 'P50 MS', 'P99 MS', 'WHO ANSWERED'], rows);
    page.say('Here one process is both caller and router, so compare only the rows; npm run bench measures the speed.');
    page.claim(`no request failed (${REQUESTS} of each)`, failed.length === 0);
    const local = (shares.get(Strategy.STRATEGY_LOCAL_FIRST)?.['local'] ?? 0) / REQUESTS;
    page.claim(
      `LOCAL_FIRST: the local engine answered ${(local * 100).toFixed(0)} %, the setting says 80 %`,
      local > 0.6,
    );
    const sidecars = 1 - (shares.get(Strategy.STRATEGY_SIDECAR_FIRST)?.['local'] ?? 0) / REQUESTS;
    page.claim(
      `SIDECAR_FIRST: sidecars answered ${(sidecars * 100).toFixed(0)} %, the setting says 80 %`,
      sidecars > 0.6,
    );
    const engines = new Set<string>();
    for (let call = 0; call < 10; call += 1) {
      const request = { strategy: Strategy.STRATEGY_AFFINITY, cache: CacheMode.CACHE_MODE_BYPASS };
      engines.add((await stage.reason(stage.item(0), request)).engine!.engineId);
    }
    page.claim(`AFFINITY: the same input went to ${[...engines].join(', ')} ten times`, engines.size === 1);
  },
};

function ms(value: number): number {
  return Number(value.toFixed(2));
}
