// SIGHUP with a real process: the settings are read again, and applied or refused as a whole.
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Event, EventServiceClient } from '../../services/generated/tandem/v1/events.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { EventReader } from '../support/event-reader.ts';
import { readHeldout } from '../support/heldout.ts';
import { closedLoad } from '../support/load.ts';
import { Operator } from '../support/operator.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import type { System } from '../support/system.ts';
import { SUPERSENSE } from '../support/models.ts';

const inputs = readHeldout();

let sidecars: RunningSidecar[];
let router: RouterProcess;
let events: EventServiceClient;
let reader: EventReader;
let operator: Operator;

beforeAll(async () => {
  sidecars = await Promise.all([startSidecar(SUPERSENSE), startSidecar(SUPERSENSE)]);
});

afterAll(async () => {
  await Promise.all(sidecars.map((sidecar) => sidecar.kill()));
});

const one = (): { id: string; address: string } => ({ id: 'one', address: sidecars[0]!.address });
const two = (): { id: string; address: string } => ({ id: 'two', address: sidecars[1]!.address });

beforeEach(async () => {
  router = await startRouter({ local: { enabled: false }, sidecars: [one()] });
  events = new EventServiceClient(router.address, grpc.credentials.createInsecure());
  reader = new EventReader(events, { topics: ['config'] });
  await reader.subscribed;
  operator = new Operator(router.adminAddress);
});

afterEach(async () => {
  reader.cancel();
  events.close();
  operator.close();
  await router.stop();
});

/** The log line about it. */
async function reload(settings: Record<string, unknown> | string): Promise<Event> {
  const before = reader.events.length;
  router.reload(settings);
  await until(() => reader.events.length > before, { what: 'the log line about the settings' });
  return reader.events[before]!;
}

const ids = async (): Promise<string[]> => (await operator.engines()).map(({ id }) => id);

describe('a router that reloads its settings', () => {
  it('applies them, and logs each change with the old and the new value', async () => {
    const { text, data } = await reload({ sidecars: [one()], strategy: 'FASTEST', slow_start_ms: 0 });
    expect([text, data]).toEqual([
      'settings read again',
      { changed: 'strategy: "ROUND_ROBIN" → "FASTEST"; slow_start_ms: 2000 → 0' },
    ]);
    expect(await operator.strategy()).toBe(Strategy.STRATEGY_FASTEST);
  });

  it.each([
    ['a wrong value', { strategy: 'LUCK', slow_start_ms: 0 }, /strategy.*LUCK/],
    ['an unknown key', { strategy: 'FASTEST', slow_strat_ms: 0 }, /slow_strat_ms.*slow_start_ms/],
    [
      'a key that needs a restart',
      { strategy: 'FASTEST', max_message_bytes: 5_000 },
      /"max_message_bytes" .*: restart/,
    ],
    [
      'a name that is taken',
      () => ({ strategy: 'FASTEST', sidecars: [one(), one()] }),
      /"sidecars" .*ids of their own/,
    ],
    ['a file that is not YAML', 'strategy: [FASTEST', /is not YAML/],
  ])('refuses all of them for %s, names it, and continues as before', async (_, settings, why) => {
    const { text, data } = await reload(typeof settings === 'function' ? settings() : settings);
    expect([text, data['why']]).toEqual([
      'settings refused; the previous ones stay in force',
      expect.stringMatching(why) as unknown,
    ]);
    expect([await operator.strategy(), await ids()]).toEqual([Strategy.STRATEGY_ROUND_ROBIN, ['one']]);
  });

  it('keeps an operator’s strategy unless the strategy of the settings changes', async () => {
    await operator.setStrategy(Strategy.STRATEGY_AFFINITY);
    expect((await reload({ sidecars: [one()] })).data).toEqual({ changed: 'nothing' });
    expect(await operator.strategy()).toBe(Strategy.STRATEGY_AFFINITY);
  });

  it('connects to new sidecars and disconnects removed ones under load, without a failed request', async () => {
    const client = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure());
    const system: Pick<System, 'reason'> = {
      reason: (request, options = {}) =>
        new Promise((resolve, reject) => {
          const whole = ReasonRequest.fromPartial({ ...request, cache: CacheMode.CACHE_MODE_BYPASS });
          client.reason(whole, new grpc.Metadata(), options, (error, answer) =>
            error ? reject(error) : resolve(answer),
          );
        }),
    };
    const load = closedLoad({ system, inputs, total: Infinity, inFlight: 8 });
    const answered = async (count: number): Promise<void> => {
      const { started } = load;
      await until(() => load.started > started + count, { what: 'more answers' });
    };
    await answered(50);
    for (const list of [[one(), two()], [two()], [one()]]) {
      await reload({ sidecars: list });
      expect(await ids()).toEqual(list.map(({ id }) => id));
      await answered(50);
    }
    const { failed, requests } = await load.stop();
    client.close();
    expect(failed).toEqual([]);
    expect(new Set(requests.map(({ engineId }) => engineId))).toEqual(new Set(['one', 'two']));
  });
});
