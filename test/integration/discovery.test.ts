import { once } from 'node:events';
import { type Server, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { pino } from 'pino';
import { settingsSchema } from '../../services/config/schema.ts';
import { type Lookup, systemLookup } from '../../services/engines/discovery.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { type Tandem, start } from '../../services/main.ts';
import { promised } from '../support/promised.ts';
import { readHeldout } from '../support/heldout.ts';
import { type Load, closedLoad } from '../support/load.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import type { System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

/** The time limits for `docker compose up --scale`. */
const NOTICED_WITHIN_MS = 5_000;
const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

const inputs = readHeldout();

let sidecars: RunningSidecar[];
let port: string;
/** The resolver's answer: addresses, or an error. */
let dns: string[] | Error;
let lookups = 0;
let tandem: Tandem;
let client: ReasoningServiceClient;

beforeAll(async () => {
  const first = await startSidecar(SUPERSENSE, { listen: `${HOSTS[0]}:0` });
  port = first.address.split(':')[1]!;
  const others = HOSTS.slice(1).map((host) => startSidecar(SUPERSENSE, { listen: `${host}:${port}` }));
  sidecars = [first, ...(await Promise.all(others))];
});

afterAll(async () => {
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
});

afterEach(async () => {
  client.close();
  await tandem.stop();
});

/** Then each request has the engine of the strategy, however slow a busy machine makes it. */
const NO_SECOND_ATTEMPT = { retry: { budget_percent: 0 } };

/** A router with only the host name of its engines. */
async function startWith(
  addresses: string[] | Error,
  over: Record<string, unknown> = {},
  lookup = fake,
  others: Record<string, unknown> = {},
): Promise<void> {
  dns = addresses;
  lookups = 0;
  const settings = settingsSchema.parse({
    listen: '127.0.0.1:0',
    http_listen: 'off',
    local: { enabled: false },
    cache: { enabled: false },
    discovery: { targets: [{ name: 'engine', address: `engines:${port}` }], ...over },
    ...others,
  });
  tandem = await start(settings, pino({ level: 'silent' }), () => undefined, { lookup });
  client = new ReasoningServiceClient(tandem.address, grpc.credentials.createInsecure());
}

const fake: Lookup = () => {
  lookups += 1;
  if (dns instanceof Error) return Promise.reject(dns);
  return Promise.resolve(dns.map((address) => ({ address, family: 4 })));
};

const reason: System['reason'] = (request, options = {}) =>
  promised((done) => client.reason(ReasonRequest.fromPartial(request), new grpc.Metadata(), options, done));

const ids = (): string[] => tandem.pool.engines.map(({ id }) => id).sort();
const answered = (id: string): number => tandem.pool.engines.find((each) => each.id === id)?.succeeded ?? 0;
const underLoad = (): Load => closedLoad({ system: { reason }, inputs, total: Infinity, inFlight: 8 });

/** The time until the condition holds, milliseconds. */
async function timeUntil(what: string, condition: () => boolean): Promise<number> {
  const startMs = performance.now();
  await until(condition, { what, timeoutMs: 10_000 });
  const tookMs = performance.now() - startMs;
  if (process.env['FIGURES']) process.stderr.write(`${what}: ${tookMs.toFixed(0)} ms\n`);
  return tookMs;
}

describe('every address of a name', () => {
  it('is an engine that serves when the router has started', async () => {
    await startWith(HOSTS, {}, fake, NO_SECOND_ATTEMPT);
    expect(ids()).toEqual(['engine-127-0-0-1', 'engine-127-0-0-2', 'engine-127-0-0-3']);
    const { failed, perEngine } = await closedLoad({ system: { reason }, inputs, total: 300, inFlight: 8 }).finished;
    expect([failed, perEngine]).toEqual([[], Object.fromEntries(ids().map((id) => [id, 100]))]);
  });

  it('is also found by the system’s own resolver', async () => {
    const targets = [{ name: 'engine', address: `localhost:${port}` }];
    await startWith([], { targets }, systemLookup);
    expect(tandem.pool.engines.map(({ id, state }) => [id, state])).toEqual([['engine-127-0-0-1', 'READY']]);
  });

  it('leaves the router with its local engine while there is none', async () => {
    await startWith(new Error('getaddrinfo ENOTFOUND engines'), { interval_ms: 100 });
    expect(ids()).toEqual([]);
    dns = HOSTS.slice(0, 1);
    await until(() => ids().length === 1, { what: 'the engine' });
    await until(() => reason({ tensor: { shape: [768], dtype: 'FP32', data: inputs[0]!.data } }), {
      what: 'an answer',
    });
  });
});

describe('under load', () => {
  let load: Load;

  beforeEach(() => startWith(HOSTS.slice(0, 2)).then(() => void (load = underLoad())));

  /** Nothing failed, and nothing was retried. */
  async function expectCalm(): Promise<void> {
    const { failed, requests } = await load.stop();
    expect(failed).toEqual([]);
    expect(requests.filter(({ attempts }) => attempts.length > 1)).toEqual([]);
  }

  it('a new address is an engine that answers within 5 s', async () => {
    dns = HOSTS;
    const tookMs = await timeUntil('a new address serves', () => answered('engine-127-0-0-3') > 0);
    expect(tookMs).toBeLessThan(NOTICED_WITHIN_MS);
    await expectCalm();
  });

  it('a removed address is gone within 5 s, and no request fails', async () => {
    dns = HOSTS.slice(0, 1);
    const tookMs = await timeUntil('a removed address is gone', () => ids().length === 1);
    expect(tookMs).toBeLessThan(NOTICED_WITHIN_MS);
    await expectCalm();
  });

  it('an engine that is killed and removed is gone at once', async () => {
    dns = HOSTS.slice(0, 1);
    await sidecars[1]!.kill();
    expect(await timeUntil('a killed and removed address is gone', () => ids().length === 1)).toBeLessThan(1_000);
    const { failed } = await load.stop();
    await sidecars[1]!.restart();
    expect(failed).toEqual([]);
  });

  it('an engine that is killed and keeps its address stays, and returns with its process', async () => {
    await sidecars[1]!.kill();
    await until(() => tandem.pool.find('engine-127-0-0-2').state === 'DOWN', { what: 'the router to notice' });
    const before = answered('engine-127-0-0-2');
    await sidecars[1]!.restart();
    await timeUntil('a restarted engine serves', () => answered('engine-127-0-0-2') > before);
    expect((await load.stop()).failed).toEqual([]);
    expect(ids()).toEqual(['engine-127-0-0-1', 'engine-127-0-0-2']);
  });
});

describe('a name whose addresses change under load', () => {
  /** No process listens there. */
  const DEAD = ['127.0.0.7', '127.0.0.8', '127.0.0.9'];
  /** A process listens there that is not an engine. */
  const WRONG = ['127.0.0.5', '127.0.0.6'];
  let wrong: Server[];
  let load: Load;

  beforeAll(async () => {
    wrong = WRONG.map((host) => createServer((socket) => socket.end('SSH-2.0\r\n')).listen(Number(port), host));
    await Promise.all(wrong.map((server) => once(server, 'listening')));
  });

  afterAll(() => wrong.forEach((server) => server.close()));

  beforeEach(async () => {
    await startWith(HOSTS, { interval_ms: 100 });
    load = underLoad();
  });

  const ready = (): string[] =>
    tandem.pool.engines
      .filter(({ state }) => state === 'READY')
      .map(({ id }) => id)
      .sort();

  it.each([
    ['to dead addresses', DEAD],
    ['to wrong hosts', WRONG],
    ['to nothing', new Error('getaddrinfo ENOTFOUND engines')],
  ])('%s fails none, and no working engine leaves', async (_where, answer) => {
    dns = answer;
    const seen = lookups;
    await until(() => lookups > seen + 10, { what: 'ten lookups' });
    expect(ready()).toEqual(['engine-127-0-0-1', 'engine-127-0-0-2', 'engine-127-0-0-3']);
    expect((await load.stop()).failed).toEqual([]);
  });

  it('back and forth with every answer fails none', async () => {
    const answers = [DEAD, HOSTS, WRONG, HOSTS.slice(1), new Error('EAI_AGAIN'), [...WRONG, HOSTS[0]!]];
    for (let n = 0; n < 24; n += 1) {
      dns = answers[n % answers.length]!;
      const seen = lookups;
      await until(() => lookups > seen, { what: 'the next lookup' });
    }
    expect((await load.stop()).failed).toEqual([]);
  });
});

describe('a resolver', () => {
  it('that resolves to dead addresses removes no working engine', async () => {
    await startWith(HOSTS, { interval_ms: 100 });
    const load = underLoad();
    dns = ['127.0.0.101', '127.0.0.102', '127.0.0.103'];
    const seen = lookups;
    await until(() => lookups > seen + 5, { what: 'several lookups' });
    const { failed } = await load.stop();
    const ready = tandem.pool.engines.filter(({ state }) => state === 'READY').map(({ id }) => id);
    expect([failed.map(({ outcome }) => outcome), ready.sort()]).toEqual([
      [],
      ['engine-127-0-0-1', 'engine-127-0-0-2', 'engine-127-0-0-3'],
    ]);
  });

  it('that fails or is wrong once removes no engine', async () => {
    await startWith(HOSTS, { interval_ms: 100 });
    const engines = [...tandem.pool.engines];
    for (const answer of [new Error('EAI_AGAIN'), HOSTS.slice(0, 1), [], HOSTS, new Error('ENOTFOUND'), HOSTS]) {
      dns = answer;
      const seen = lookups;
      await until(() => lookups > seen, { what: 'the next lookup' });
    }
    expect(tandem.pool.engines).toEqual(engines);
    expect(tandem.pool.engines.map(({ state }) => state)).toEqual(['READY', 'READY', 'READY']);
  });
});
