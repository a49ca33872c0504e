// A name that the settings no longer have, and what an operator is told of a name whose addresses are dead.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { Discovery, systemLookup } from './discovery.ts';
import { EnginePool } from './pool.ts';

const INTERVAL_MS = 2_000;

let addresses: string[];
let lookups: number;
/** Addresses that begin like this are dead. */
let dead: string;
let stops: string[];
/** Why unlisted engines were kept. */
let kept: string[];
/** Engines stop when this resolves. */
let finished: Promise<undefined>;
let engines: Map<string, FakeEngine>;
let pool: EnginePool;
let discovery: Discovery;

class Stoppable extends FakeEngine {
  override start(): Promise<void> {
    if (this.id.startsWith(`name-${dead}`)) this.down('unreachable');
    else this.up(fakeModel());
    return Promise.resolve();
  }

  override async stop(): Promise<void> {
    stops.push(this.id);
    await finished;
  }
}

beforeEach(async () => {
  jest.useFakeTimers();
  [addresses, lookups, dead, stops, kept] = [['1', '2'], 0, 'dead', [], []];
  finished = Promise.resolve(undefined);
  engines = new Map();
  pool = new EnginePool(fakePins, fakeBreaker, { engineChanged: (pooled) => discovery.engineChanged(pooled) });
  const silent = (): void => undefined;
  discovery = new Discovery(
    { name: 'name', address: 'host:1' },
    {
      pool,
      intervalMs: INTERVAL_MS,
      connect: (id) => engines.set(id, new Stoppable(id)).get(id)!,
      lookup: () => {
        lookups += 1;
        return Promise.resolve(addresses.map((address) => ({ address, family: 4 })));
      },
      events: {
        ...{ found: silent, vanished: silent, refused: silent, replaced: silent, failed: silent, recovered: silent },
        kept: (_, why) => kept.push(why),
      },
    },
  );
  await discovery.start();
});

afterEach(() => {
  discovery.stop();
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const states = (): string[] => pool.engines.map(({ id, state }) => `${id} ${state}`);

describe('Discovery.close', () => {
  it('removes its engines once their requests in flight have ended', async () => {
    pool.add(new FakeEngine('other').up(fakeModel()));
    const { promise, resolve } = Promise.withResolvers<undefined>();
    finished = promise;
    const closed = discovery.close();
    expect(states()).toEqual(['name-1 DRAINING', 'name-2 DRAINING', 'other READY']);
    resolve(undefined);
    await closed;
    expect([states(), stops]).toEqual([['other READY'], ['name-1', 'name-2']]);
  });

  it('ends the look-ups', async () => {
    await discovery.close();
    await pass(10 * INTERVAL_MS);
    expect(lookups).toBe(1);
  });

  it('does not stop an engine again that is leaving, or was removed', async () => {
    finished = new Promise(() => undefined);
    addresses = ['2'];
    await pass(2 * INTERVAL_MS);
    pool.remove('name-2');
    await discovery.close();
    expect(stops).toEqual(['name-1']);
  });
});

describe('a name that lists dead addresses', () => {
  const DEAD = ['dead1', 'dead2', 'dead3', 'dead4', 'dead5', 'dead6'];

  it('names four of them, and the number of the others', async () => {
    addresses = DEAD;
    await pass(3 * INTERVAL_MS);
    const named = DEAD.slice(0, 4).map((address) => `${address}: down: unreachable`);
    expect(kept).toEqual([`it lists addresses where no engine serves (${named.join('; ')}; and 2 more)`]);
  });

  it('names all of four, and no others', async () => {
    addresses = DEAD.slice(2);
    await pass(3 * INTERVAL_MS);
    expect(kept).toEqual([expect.stringMatching(/dead6: down: unreachable\)$/)]);
  });

  it('is not looked up again when a dead engine fails once more, but when one comes up', async () => {
    addresses = DEAD;
    await pass(3 * INTERVAL_MS);
    await pass(600);
    const before = lookups;
    engines.get('name-dead1')!.down('still unreachable');
    await pass(0);
    expect(lookups).toBe(before);
    engines.get('name-dead1')!.up(fakeModel());
    await pass(0);
    expect(lookups).toBe(before + 1);
  });
});

it('systemLookup finds all addresses of a host', async () => {
  expect(await systemLookup('localhost')).toEqual(
    expect.arrayContaining([{ address: expect.any(String), family: expect.any(Number) }]),
  );
});
