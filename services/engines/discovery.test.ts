import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { Discovery, type DiscoveryTarget, engineId } from './discovery.ts';
import { EnginePool, MAX_ENGINES } from './pool.ts';

const INTERVAL_MS = 2_000;

/** The resolver’s answer: addresses, or an error. */
let dns: string[] | Error;
let lookups: string[];
/** The resolver answers after this. */
let slowness: Promise<undefined> | undefined;
/** Hosts where no engine answers. */
let dead: Set<string>;
let engines: Map<string, Found>;
let events: string[];
let pool: EnginePool;
let discovery: Discovery;

beforeEach(() => {
  jest.useFakeTimers();
  dns = [];
  lookups = [];
  slowness = undefined;
  dead = new Set();
  engines = new Map();
  events = [];
  pool = new EnginePool(fakePins, fakeBreaker, {
    engineChanged: (pooled) => discovery.engineChanged(pooled),
    engineRemoved: ({ id }) => events.push(`removed ${id}`),
  });
});

afterEach(() => {
  discovery.stop();
  jest.useRealTimers();
});

/** An engine that is up after its start, unless its address is dead. */
class Found extends FakeEngine {
  readonly at: string;
  /** Resolves when its requests in flight have ended. */
  stopped: Promise<unknown> = Promise.resolve();

  constructor(id: string, at: string) {
    super(id);
    this.at = at;
  }

  override start(): Promise<void> {
    if (dead.has(this.at.split(':')[0]!)) this.down('unreachable');
    else this.up(fakeModel());
    return Promise.resolve();
  }

  override async stop(): Promise<void> {
    await this.stopped;
  }
}

async function start(addresses: string[] | Error, target: Partial<DiscoveryTarget> = {}): Promise<void> {
  dns = addresses;
  discovery = new Discovery(
    { name: 'e', address: 'engine:50061', ...target },
    {
      pool,
      intervalMs: INTERVAL_MS,
      connect: (id, at) => {
        const engine = new Found(id, at);
        engines.set(id, engine);
        return engine;
      },
      lookup: async (host) => {
        lookups.push(host);
        await slowness;
        if (dns instanceof Error) throw dns;
        return dns.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      },
      events: {
        found: ({ id }) => events.push(`found ${id}`),
        vanished: ({ id }) => events.push(`vanished ${id}`),
        refused: (count, why) => events.push(`refused ${count}: ${why}`),
        kept: (kept, why) => events.push(`kept ${kept.map(({ id }) => id).join(' ')}: ${why}`),
        replaced: () => events.push('replaced'),
        failed: (why) => events.push(`failed: ${why}`),
        recovered: () => events.push('recovered'),
      },
    },
  );
  await discovery.start();
}

const ids = (): string[] => pool.engines.map(({ id }) => id);
const states = (): string[] => pool.engines.map(({ id, state }) => `${id} ${state}`);
const connected = (): string[] => [...engines.values()].map(({ at }) => at);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
/** Runs the next regular lookup, with this answer. */
async function next(answer: string[] | Error): Promise<void> {
  dns = answer;
  await pass(INTERVAL_MS);
}

describe('Discovery', () => {
  it('adds and starts one engine for each address of the host', async () => {
    await start(['10.0.0.3', '10.0.0.2']);
    expect([lookups, states()]).toEqual([['engine'], ['e-10-0-0-2 READY', 'e-10-0-0-3 READY']]);
    expect(connected()).toEqual(['10.0.0.2:50061', '10.0.0.3:50061']);
  });

  it('adds an engine within one interval, without changing the others', async () => {
    await start(['10.0.0.2']);
    const [first] = pool.engines;
    await next(['10.0.0.9', '10.0.0.2']);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-9 READY']);
    expect(pool.engines[0]).toBe(first);
    await next(['10.0.0.2', '10.0.0.9']);
    expect(events).toEqual(['found e-10-0-0-2', 'found e-10-0-0-9']);
  });

  it('accepts IPv6 addresses', async () => {
    await start(['fd00::3'], { address: '[fd00::3]:50061' });
    expect([lookups, ids(), connected()]).toEqual([['fd00::3'], ['e-fd00--3'], ['[fd00::3]:50061']]);
  });

  it('adds an engine once if it has an IPv4 and an IPv6 address', async () => {
    await start(['fd00::3', '10.0.0.3']);
    expect(ids()).toEqual(['e-10-0-0-3']);
  });

  it('gives a valid id to an engine with a long address', () => {
    const id = engineId('a-name-of-23-characters', 'fd00:1111:2222:3333:4444:5555:6666:7777');
    expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
  });

  it('adds no more engines than the pool can hold, and reports that once', async () => {
    const many = Array.from({ length: MAX_ENGINES + 44 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
    await start(many);
    await next(many);
    expect(pool.engines).toHaveLength(MAX_ENGINES);
    expect(events.filter((event) => event.startsWith('refused'))).toEqual([
      `refused 44: there are ${MAX_ENGINES} engines, the most there can be; remove one`,
    ]);
  });

  it('does not add a removed engine again until its address disappears and returns', async () => {
    await start(['10.0.0.2', '10.0.0.3']);
    pool.remove('e-10-0-0-3');
    await next(['10.0.0.2', '10.0.0.3']);
    expect(ids()).toEqual(['e-10-0-0-2']);
    await next(['10.0.0.2']);
    await next(['10.0.0.2']);
    await next(['10.0.0.2', '10.0.0.3']);
    expect(ids()).toEqual(['e-10-0-0-2', 'e-10-0-0-3']);
  });
});

describe('an address that disappears', () => {
  beforeEach(() => start(['10.0.0.2', '10.0.0.3']));

  it('removes its engine at the second lookup without it', async () => {
    await next(['10.0.0.2']);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-3 READY']);
    await next(['10.0.0.2']);
    expect(ids()).toEqual(['e-10-0-0-2']);
    expect(events.slice(2)).toEqual(['vanished e-10-0-0-3', 'removed e-10-0-0-3']);
  });

  it('changes nothing if it returns before that', async () => {
    for (let n = 0; n < 3; n += 1) {
      await next(['10.0.0.2']);
      await next(['10.0.0.2', '10.0.0.3']);
    }
    expect([states(), events.length]).toEqual([['e-10-0-0-2 READY', 'e-10-0-0-3 READY'], 2]);
  });

  it('removes its engine at once if that is down', async () => {
    dns = ['10.0.0.2'];
    await pass(1_000);
    engines.get('e-10-0-0-3')?.down('killed');
    await pass(0);
    expect(ids()).toEqual(['e-10-0-0-2']);
  });

  it('lets its engine finish requests in flight', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    engines.get('e-10-0-0-3')!.stopped = promise;
    await next(['10.0.0.2']);
    await next(['10.0.0.2']);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-3 DRAINING']);
    resolve(undefined);
    await pass(0);
    expect(ids()).toEqual(['e-10-0-0-2']);
  });

  it('is added as a new engine after the old one has drained', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    engines.get('e-10-0-0-3')!.stopped = promise;
    await next(['10.0.0.2']);
    await next(['10.0.0.2']);
    await next(['10.0.0.2', '10.0.0.3']);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-3 DRAINING']);
    resolve(undefined);
    await next(['10.0.0.2', '10.0.0.3']);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-3 READY']);
  });
});

describe('a failing resolver', () => {
  it.each([
    ['reports an unknown name', new Error('getaddrinfo ENOTFOUND engine')],
    ['is unavailable', new Error('getaddrinfo EAI_AGAIN engine')],
    ['returns no address', []],
  ])('removes no engine and is reported once if it %s', async (_name, answer) => {
    await start(['10.0.0.2', '10.0.0.3']);
    for (let n = 0; n < 5; n += 1) await next(answer);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-3 READY']);
    engines.get('e-10-0-0-3')?.down('killed');
    await pass(1_000);
    expect(states()).toEqual(['e-10-0-0-2 READY', 'e-10-0-0-3 DOWN']);
    await next(['10.0.0.2', '10.0.0.3']);
    const complaint = `failed: ${answer instanceof Error ? answer.message : '"engine" has no address'}`;
    expect(events.slice(2)).toEqual([complaint, 'recovered']);
  });

  it('does not count as a lookup without the address', async () => {
    await start(['10.0.0.2', '10.0.0.3']);
    await next(['10.0.0.2']);
    await next(new Error('away'));
    expect(ids()).toHaveLength(2);
    await next(['10.0.0.2']);
    expect(ids()).toHaveLength(1);
  });

  it('does not prevent the start, and is asked again', async () => {
    await start(new Error('not there yet'));
    expect(ids()).toEqual([]);
    await next(['10.0.0.2']);
    expect(states()).toEqual(['e-10-0-0-2 READY']);
  });
});

describe('an engine that goes down', () => {
  beforeEach(() => start(['10.0.0.2', '10.0.0.3']));

  it('causes a lookup at once', async () => {
    await pass(1_000);
    dns = ['10.0.0.2', '10.0.0.3', '10.0.0.4'];
    engines.get('e-10-0-0-3')?.down('killed');
    await pass(0);
    expect(ids()).toEqual(['e-10-0-0-2', 'e-10-0-0-3', 'e-10-0-0-4']);
  });

  it('causes at most two lookups a second', async () => {
    for (let ms = 0; ms < 10_000; ms += 50) {
      const engine = engines.get('e-10-0-0-3')!;
      engine.down('killed');
      engine.up(fakeModel());
      await pass(50);
    }
    expect(lookups.length).toBeGreaterThan(15);
    expect(lookups.length).toBeLessThanOrEqual(21);
  });

  it('causes one more lookup if it goes down during a lookup', async () => {
    await pass(INTERVAL_MS - 1);
    const answered = Promise.withResolvers<undefined>();
    slowness = answered.promise;
    await pass(1);
    engines.get('e-10-0-0-3')?.down('killed');
    slowness = undefined;
    answered.resolve(undefined);
    await pass(500);
    expect(lookups).toHaveLength(3);
    await pass(INTERVAL_MS - 1);
    expect(lookups).toHaveLength(3);
  });

  it('causes one lookup while it stays down', async () => {
    await pass(1_000);
    engines.get('e-10-0-0-3')?.down('killed');
    await pass(0);
    engines.get('e-10-0-0-3')?.down('connection refused');
    await pass(INTERVAL_MS - 1);
    expect(lookups).toHaveLength(2);
  });
});

describe('a name that changes its addresses', () => {
  const OLD = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const NEW = ['10.0.0.7', '10.0.0.8', '10.0.0.9'];
  const idsOf = (addresses: readonly string[]): string[] => addresses.map((address) => engineId('e', address));
  const ready = (): string[] => pool.engines.filter(({ state }) => state === 'READY').map(({ id }) => id);

  beforeEach(() => start(OLD));

  it('keeps all old engines if the new addresses are dead', async () => {
    dead = new Set(NEW);
    for (let n = 0; n < 10; n += 1) await next(NEW);
    expect(ready()).toEqual(idsOf(OLD));
    const why =
      'it lists addresses where no engine serves ' +
      '(10.0.0.7: down: unreachable; 10.0.0.8: down: unreachable; 10.0.0.9: down: unreachable)';
    expect(events.filter((event) => event.startsWith('kept'))).toEqual([`kept ${idsOf(OLD).join(' ')}: ${why}`]);
    expect(discovery.problem).toBe(`${why}; engines that it no longer lists stay: ${idsOf(OLD).join(', ')}`);
  });

  it('keeps all old engines if it lists one dead address', async () => {
    dead = new Set(NEW);
    for (let n = 0; n < 10; n += 1) await next(NEW.slice(0, 1));
    expect(ready()).toEqual(idsOf(OLD));
  });

  it('removes one old engine for each new one that answers', async () => {
    dead = new Set(NEW.slice(1));
    await next(NEW);
    await next(NEW);
    expect(ready()).toHaveLength(3);
    expect(ready()).toContain('e-10-0-0-7');
    for (const id of idsOf(NEW.slice(1))) engines.get(id)!.up(fakeModel());
    await pass(1_000);
    expect([ids(), discovery.problem]).toEqual([idsOf(NEW), '']);
    expect(events.filter((event) => event === 'replaced')).toHaveLength(1);
  });

  it('does not count an engine with an open breaker as answering', async () => {
    await next(NEW);
    for (const { id, breaker } of pool.engines) if (idsOf(NEW).includes(id)) breaker.trip('no answer');
    await next(NEW);
    expect(ids()).toEqual([...idsOf(OLD), ...idsOf(NEW)]);
  });

  it('keeps the old engines if it alternates between old and dead addresses', async () => {
    dead = new Set(NEW);
    for (let n = 0; n < 60; n += 1) {
      dns = n % 2 === 0 ? NEW : OLD;
      await pass(1_000);
      expect(ready()).toEqual(idsOf(OLD));
    }
  });

  it('keeps the only engine that answers', async () => {
    dead = new Set(NEW);
    for (const id of idsOf(OLD.slice(1))) engines.get(id)!.down('killed');
    for (let n = 0; n < 30; n += 1) await next(NEW);
    expect(ready()).toEqual(idsOf(OLD.slice(0, 1)));
  });

  it('removes an engine that is down for half a minute, without a replacement', async () => {
    dead = new Set(NEW);
    await next(NEW);
    await next(NEW);
    engines.get('e-10-0-0-1')!.down('connection reset');
    await pass(29_000);
    expect(ids()).toContain('e-10-0-0-1');
    await pass(4_000);
    expect(ids()).toEqual([...idsOf(OLD.slice(1)), ...idsOf(NEW)]);
  });

  it('keeps the new engines if it returns to engines that still drain', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    for (const engine of engines.values()) engine.stopped = promise;
    await next(NEW);
    await next(NEW);
    for (let n = 0; n < 3; n += 1) await next(OLD);
    expect(ready()).toEqual(idsOf(NEW));
    resolve(undefined);
    for (let n = 0; n < 3; n += 1) await next(OLD);
    expect(ready()).toEqual(idsOf(OLD));
  });

  it('removes engines if it lists fewer addresses', async () => {
    await next(OLD.slice(0, 1));
    await next(OLD.slice(0, 1));
    expect(ids()).toEqual(idsOf(OLD.slice(0, 1)));
  });

  it('adds no replacement for an engine that an operator drains', async () => {
    pool.setDraining(pool.find('e-10-0-0-1'), true);
    await next(OLD.slice(0, 2));
    await next(OLD.slice(0, 2));
    expect(ids()).toEqual(idsOf(OLD.slice(0, 2)));
  });
});

it('Discovery ignores a pending lookup after stop', async () => {
  await start(['10.0.0.2']);
  dns = ['10.0.0.2', '10.0.0.3'];
  jest.advanceTimersByTime(INTERVAL_MS);
  discovery.stop();
  await pass(10 * INTERVAL_MS);
  expect([ids(), lookups.length]).toEqual([['e-10-0-0-2'], 2]);
});

it('Discovery cancels its next lookup at a stop', async () => {
  await start(['10.0.0.2']);
  const timers = jest.getTimerCount();
  discovery.stop();
  expect(jest.getTimerCount()).toBe(timers - 1);
});
