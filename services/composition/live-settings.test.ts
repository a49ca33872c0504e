// Reloaded settings must reach every part and take effect. The parts that make decisions are real.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { answerOf } from '../../test/support/cache.ts';
import { type FakeEngine, fakePins } from '../../test/fakes/fake-engine.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { build, context, engine, kindOf, lost, question } from '../../test/fakes/router-parts.ts';
import { AnswerCache } from '../cache/answer-cache.ts';
import { readOtel } from '../config/otel.ts';
import { type Settings, settingsSchema } from '../config/schema.ts';
import { Quarantine } from '../engines/quarantine.ts';
import { EnginePool } from '../engines/pool.ts';
import { Admission } from '../routing/admission.ts';
import type { Answer } from '../routing/answer.ts';
import { Audit } from '../routing/audit.ts';
import { LatencyQuantile } from '../routing/latency-quantile.ts';
import { RetryBudget } from '../routing/retry-budget.ts';
import type { Router } from '../routing/router.ts';
import { type LiveParts, LiveSettings } from './live-settings.ts';
import { admissionOptions, breakerOptions, cacheOptions, quarantineOptions, routerOptions } from './options.ts';

const was = settingsSchema.parse({});

let logged: [text: string, data: Record<string, unknown>][];
/** The configure and replace calls of the other parts. */
let calls: [name: string, settings: unknown][];
let engines: FakeEngine[];
let router: Router;
let parts: LiveParts;
let live: LiveSettings;
let audited: number;

beforeEach(() => {
  logged = [];
  calls = [];
  audited = 0;
  const note =
    (name: string) =>
    (...settings: unknown[]): void =>
      void calls.push([name, settings[0]]);
  engines = [engine('a'), engine('b'), engine('c')];
  const pool = new EnginePool(fakePins, breakerOptions(was), {}, was.panic_percent);
  for (const each of engines) pool.add(each);
  const admission = new Admission(admissionOptions(was));
  const budget = new RetryBudget(was.max_in_flight, was.retry.budget_percent);
  const latencyQuantile = new LatencyQuantile(was.hedged.percentile);
  const audit = new Audit({
    rate: 0,
    observer: { ...silent, voted: () => (audited += 1) },
    onDispute: () => undefined,
  });
  const cache = new AnswerCache<Answer>(cacheOptions(was));
  router = build(engines, undefined, { ...routerOptions(was), admission, budget, latencyQuantile, audit });
  const server = { configure: note('api'), refreshHealth: note('health') };
  parts = {
    ...{ router, admission, budget, latencyQuantile, audit, pool, cache, otel: readOtel(1, {}) },
    quarantine: new Quarantine(pool, quarantineOptions(was), () => []),
    log: { level: 'info' },
    system: {
      tell: (_topic: string, _severity: string, text: string, data: Record<string, unknown>) =>
        logged.push([text, data]),
    },
    ...{ alerts: { configure: note('alerts') }, tracing: { configure: note('tracing') } },
    ...{ api: server, http: { configure: note('http') }, authorizer: { configure: note('authorizer') } },
    sidecars: { check: () => undefined, replace: note('sidecars') },
    ...{ sessions: { configure: note('sessions') }, accounts: { configure: note('accounts') } },
    ...{ agents: { configure: note('agents') }, discoveries: { replace: note('discoveries') } },
  } as unknown as LiveParts;
  live = new LiveSettings(was, parts);
});

async function reload(over: Record<string, unknown>): Promise<Settings> {
  const next = settingsSchema.parse(over);
  await live.reload(() => next);
  expect(logged.at(-1)?.[0]).toBe('settings read again');
  return next;
}

describe('reloaded settings', () => {
  it('become the settings in force', async () => {
    const next = await reload({ request_timeout_ms: 1_234 });
    expect(live.inForce).toBe(next);
  });

  it('reach the servers, alerts, tracing and lists of engines', async () => {
    await reload({
      ...{ request_timeout_ms: 1_234, alerts: { for_ms: 777 }, tracing: { slow_ms: 55 } },
      ...{ sidecars: [{ id: 'far', address: 'far:1' }] },
    });
    const logged = Object.fromEntries(calls);
    expect(logged['api']).toMatchObject({ timeoutMs: 1_234 });
    expect(logged['http']).toMatchObject({ timeoutMs: 1_234 });
    expect(logged['alerts']).toMatchObject({ forMs: 777 });
    expect(logged['tracing']).toMatchObject({ slowMs: 55 });
    expect(logged['sidecars']).toEqual([{ id: 'far', address: 'far:1' }]);
    expect(logged).toHaveProperty('discoveries');
    expect(logged).toHaveProperty('health');
  });

  it('limit the attempts of a request', async () => {
    for (const each of engines) each.behaviour = lost;
    await reload({ retry: { max_attempts: 1 } });
    await kindOf(router.reason(question(), context()));
    expect(engines.reduce((sum, each) => sum + each.calls.length, 0)).toBe(1);
  });

  it('limit the waiting requests', async () => {
    await reload({ overload: { max_queue: 0 } });
    expect(() => parts.admission.enter({}, () => 0, context())).toThrow('0 requests are waiting');
  });

  it('limit the retry budget', async () => {
    await reload({ retry: { budget_percent: 0 } });
    expect(parts.budget.isEmpty).toBe(true);
  });

  it('set the latency percentile of hedging', async () => {
    await reload({ hedged: { percentile: 50 } });
    for (let ms = 1; ms <= 20; ms += 1) parts.latencyQuantile.record('m/1', ms);
    expect(parts.latencyQuantile.ofModel('m/1')).toBe(10);
  });

  it('set the share of audited answers', async () => {
    await reload({ vote: { audit_rate: 1 } });
    await router.reason(question(), context());
    await new Promise(setImmediate);
    expect(audited).toBe(1);
  });

  it('set how often an engine may contradict the majority', async () => {
    await reload({ quarantine: { dissents: 1 } });
    const [liar] = parts.pool.engines;
    parts.quarantine.dissented(liar!, undefined);
    expect(liar!.state).toBe('QUARANTINED');
    parts.quarantine.stop();
  });

  it('set the threshold at which breakers are ignored', async () => {
    await reload({ panic_percent: 0 });
    for (const { breaker } of parts.pool.engines) breaker.trip('by hand');
    expect(parts.pool.engines.map(({ isAvailable }) => isAvailable)).toEqual([false, false, false]);
    for (const { breaker } of parts.pool.engines) breaker.stop();
  });

  it('set how long an answer is cached', async () => {
    const { answer } = await router.reason(question(), context());
    const keep = async (hash: bigint): Promise<void> => {
      const key = { scope: 'all', hash, data: Buffer.alloc(4) };
      await answerOf(parts.cache!, key, 'USE', context(), () => Promise.resolve(answer));
    };
    await keep(1n);
    expect(parts.cache!.stats.entries).toBe(1);
    await reload({ cache: { ttl_ms: 0, stale_ms: 0 } });
    await keep(2n);
    expect(parts.cache!.stats.entries).toBe(1);
  });

  it('keep the remaining retry budget if its settings do not change', async () => {
    while (parts.budget.withdraw());
    await reload({ slow_start_ms: 0 });
    expect(parts.budget.isEmpty).toBe(true);
  });

  it('admit a waiting request if there is capacity', async () => {
    let places = 0;
    const turn = parts.admission.enter({}, () => places, context());
    expect(parts.admission.waiting).toBe(1);
    places = 1;
    await reload({});
    await turn;
    expect(parts.admission.waiting).toBe(0);
  });

  it('change the strategy and the log level only if those settings change', async () => {
    router.strategy = 'AFFINITY';
    await reload({ log_level: 'warn' });
    expect([router.strategy, parts.log.level]).toEqual(['AFFINITY', 'warn']);
    await reload({ strategy: 'FASTEST' });
    expect([router.strategy, parts.log.level]).toEqual(['FASTEST', 'info']);
  });

  it('that cannot be read are refused, and the previous ones stay in force', async () => {
    const reloaded = await live.reload(() => {
      throw new Error('is not YAML');
    });
    expect(reloaded).toEqual({ changes: [], refused: 'is not YAML' });
    expect(logged).toEqual([['settings refused; the previous ones stay in force', { why: 'is not YAML' }]]);
    expect([live.inForce, calls]).toEqual([was, []]);
  });
});
