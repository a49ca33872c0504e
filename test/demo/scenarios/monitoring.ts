import { sparkline } from '../../../services/cli/sparkline.ts';
import { CacheMode } from '../../../services/generated/tandem/v1/types.ts';
import { paceLoad } from '../../support/load.ts';
import { until } from '../../support/until.ts';
import type { Scenario } from '../scenario.ts';

const RATE_PER_S = 200;
const SLICE_MS = 100;
const VICTIM = 'engine-1';

export const monitoring: Scenario = {
  name: 'monitoring',
  title: 'Monitoring: an engine dies under load',
  why: 'A process is killed with kill -9 while requests run. No caller notices; the operator sees it at once.',
  async run(stage, page) {
    const request = { cache: CacheMode.CACHE_MODE_BYPASS };
    const startMs = performance.now();
    const load = paceLoad({ system: stage.system, inputs: stage.heldout, ratePerS: RATE_PER_S, request });
    await until(() => load.started >= RATE_PER_S, { what: 'a second of requests', timeoutMs: 30_000 });
    const killedMs = performance.now();
    await stage.honest[0]!.kill();
    await until(() => stage.system.pool.find(VICTIM).state === 'DOWN', { what: 'the router to notice' });
    const noticedMs = performance.now();
    await until(() => load.started >= 2 * RATE_PER_S, { what: 'another second', timeoutMs: 30_000 });
    await stage.honest[0]!.restart();
    await until(() => stage.system.pool.find(VICTIM).state === 'READY', { what: 'its return', timeoutMs: 30_000 });
    const result = await load.stop();

    const slices = Math.ceil((performance.now() - startMs) / SLICE_MS);
    const worst = Array.from({ length: slices }, () => 0);
    for (const { dueMs, endMs } of result.requests) {
      const slice = Math.floor((dueMs - startMs) / SLICE_MS);
      worst[slice] = Math.max(worst[slice] ?? 0, endMs - dueMs);
    }
    page.say(`Slowest request in each ${SLICE_MS} ms, up to ${Math.max(...worst).toFixed(0)} ms; killed at ▼:`);
    page.say(`  ${'▼'.padStart(Math.floor((killedMs - startMs) / SLICE_MS) + 1)}`);
    page.say(`  ${sparkline(worst, slices)}`);
    page.claim(`${result.requests.length} requests, ${result.failed.length} failed`, result.failed.length === 0);
    page.say(`${VICTIM} was out of service ${(noticedMs - killedMs).toFixed(0)} ms after its death.`);
    const reported = stage.events.events.filter(({ data }) => data['engine'] === VICTIM).slice(-4);
    for (const { text, data } of reported) page.say(`  event: ${text}${data['why'] ? ` (${data['why']})` : ''}`);
    page.claim(
      'the event log names it',
      reported.some(({ severity }) => severity >= 2),
    );
    const status = await stage.operator.engine(VICTIM);
    page.claim(
      `it has returned: ${status.id} answered ${status.succeeded} requests since the start`,
      status.succeeded > 0n,
    );
    const { body } = await stage.system.prometheus.exposition('text/plain');
    const lines = body.split('\n').filter((line) => line.startsWith('tandem_engine') && line.includes(VICTIM));
    for (const line of lines.slice(0, 3)) page.say(`  /metrics  ${line}`);
    page.claim('Prometheus reads the same on /metrics', lines.length > 0);
  },
};
