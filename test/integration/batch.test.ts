import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReasonBatchResult, ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, CacheStatus } from '../../services/generated/tandem/v1/types.ts';
import { LIMIT_DEFAULTS } from '../../services/engines/concurrency-limit.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { SlowLink } from '../fakes/slow-link.ts';
import { type BatchCall, batchMessage, callBatch, callBatchMessage } from '../support/batch-call.ts';
import { readHeldout } from '../support/heldout.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { outcomeOf } from '../support/stream-caller.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const heldout = readHeldout();
const MAX_MESSAGE = 4 * 1_048_576;

let sidecars: RunningSidecar[];
let system: System;

beforeAll(async () => {
  sidecars = await Promise.all([startSidecar(SUPERSENSE), startSidecar(SUPERSENSE)]);
});

afterAll(async () => {
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
});

/** A router before engines at these addresses: engine-1, engine-2. */
async function startBefore(addresses: readonly string[], settings: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({
    local: { enabled: false },
    spawn: { count: 0 },
    max_message_bytes: MAX_MESSAGE,
    sidecars: addresses.map((address, at) => ({ id: `engine-${at + 1}`, address })),
    ...settings,
  });
}

function good(at: number, over: Partial<ReasonRequest> = {}): Partial<ReasonRequest> {
  const { data } = heldout[at % heldout.length]!;
  return {
    requestId: `item ${at}`,
    tensor: { shape: [768], dtype: 'FP32', data },
    cache: CacheMode.CACHE_MODE_BYPASS,
    ...over,
  };
}

function goodItems(count: number): Partial<ReasonRequest>[] {
  return Array.from({ length: count }, (_, at) => good(at));
}

const batch = (items: readonly (Partial<ReasonRequest> | Uint8Array)[]): BatchCall => callBatch(system.client, items);

function idsOf(results: readonly ReasonBatchResult[]): (string | undefined)[] {
  return results.map(({ outcome }) => (outcome?.$case === 'result' ? outcome.value.requestId : undefined));
}

/** The number of answers of each engine. */
function perEngine(results: readonly ReasonBatchResult[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) {
    if (outcome?.$case !== 'result') continue;
    const id = outcome.value.engine?.engineId ?? '';
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

const totalInFlight = (): number => system.pool.engines.reduce((sum, { inFlight }) => sum + inFlight, 0);

describe('a batch', () => {
  beforeAll(async () => {
    await startBefore(sidecars.map(({ address }) => address));
  });

  afterAll(async () => {
    await system.stop();
  });

  it('gives each item its own result or error, in the order of the items', async () => {
    const numbers = Array.from({ length: 768 }, (_, k) => heldout[0]!.data.readFloatLE(k * 4));
    // A repeated float as an old or proto2 encoder writes it: one tag (field 4, 32 bits) for each number.
    const unpacked = Buffer.concat(
      numbers.map((value) => {
        const bytes = Buffer.from([0x25, 0, 0, 0, 0]);
        bytes.writeFloatLE(value, 1);
        return bytes;
      }),
    );
    const items = [
      good(0),
      good(1, { tensor: undefined, encoding: numbers.slice(1) }),
      good(2),
      good(3, { tensor: undefined, encoding: numbers.with(17, NaN) }),
      good(4, { model: 'nobody' }),
      Buffer.from([0x22, 0xff, 0xff, 0x01, 0x00]),
      unpacked,
      good(7, { tensor: undefined, encoding: numbers }),
    ];
    const results = await batch(items).results;
    expect(results.map(outcomeOf)).toEqual([
      'OK',
      'INPUT_LENGTH',
      'OK',
      'INPUT_NOT_FINITE',
      'UNKNOWN_MODEL',
      'INVALID_FIELD',
      'OK',
      'OK',
    ]);
    expect(results[3]?.outcome).toMatchObject({ value: { code: 3, field: 'encoding[17]' } });
    const digests = results.map(({ outcome }) => (outcome?.$case === 'result' ? outcome.value.stateDigest : 0n));
    expect([digests[6], digests[7]]).toEqual([digests[0], digests[0]]);
  });

  it('of 1,024 items is answered in their order, and one of 1,025 is refused as a whole', async () => {
    const items = goodItems(1_025);
    const results = await batch(items.slice(1)).results;
    expect(idsOf(results)).toEqual(items.slice(1).map(({ requestId }) => requestId));
    const refusal = await refusalOf(batch(items).results);
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'BATCH_TOO_LARGE', field: 'requests' });
  });

  it('of no items has no results', async () => {
    expect(await batch([]).results).toEqual([]);
  });

  it('of 4 MB is answered, and one that is a byte larger is refused', async () => {
    const items = goodItems(1_000);
    const room = MAX_MESSAGE - batchMessage(items).length;
    const filler = (bytes: number): Buffer => Buffer.alloc(bytes, 0xff); // bytes that are not a request
    const headBytes = batchMessage([filler(room)]).length - room;
    const whole = batchMessage([...items, filler(room - headBytes)]);
    expect(whole).toHaveLength(MAX_MESSAGE);
    const results = await callBatchMessage(system.client, whole).results;
    expect(results.map(outcomeOf)).toEqual([...items.map(() => 'OK'), 'INVALID_FIELD']);
    const larger = batchMessage([...items, filler(room - headBytes + 1)]);
    expect((await refusalOf(callBatchMessage(system.client, larger).results)).code).toBe('RESOURCE_EXHAUSTED');
    expect((await batch([good(0)]).results).map(outcomeOf)).toEqual(['OK']);
  });

  it('computes equal items once', async () => {
    const results = await batch(Array.from({ length: 100 }, () => good(499, { cache: CacheMode.CACHE_MODE_USE })))
      .results;
    const statuses = results.map(({ outcome }) => (outcome?.$case === 'result' ? outcome.value.cache : undefined));
    expect(statuses.filter((status) => status === CacheStatus.CACHE_STATUS_MISS)).toHaveLength(1);
    // Items of the batch that begin after the answer use it.
    const others = new Set<CacheStatus | undefined>([CacheStatus.CACHE_STATUS_COALESCED, CacheStatus.CACHE_STATUS_HIT]);
    expect(statuses.filter((status) => others.has(status))).toHaveLength(99);
  });

  it('loses no item when a sidecar is killed in the middle of it', async () => {
    const { engine } = system.pool.find('engine-1');
    const answeredBefore = system.pool.find('engine-1').succeeded;
    const call = batch(goodItems(1_000));
    await until(() => system.pool.find('engine-1').succeeded >= answeredBefore + 50 && engine.inFlight > 0, {
      what: 'the middle of the batch',
    });
    await sidecars[0]!.kill();
    const results = await call.results;
    expect(results.flatMap(({ outcome }) => (outcome?.$case === 'error' ? [outcome.value] : []))).toEqual([]);
    expect(idsOf(results)).toEqual(goodItems(1_000).map(({ requestId }) => requestId));
    expect(system.pool.find('engine-1').failed).toBeGreaterThan(0);
    await sidecars[0]!.restart();
    await until(() => system.pool.find('engine-1').isAvailable, { what: 'the engine to return' });
  });
});

describe('a batch with engines of unequal speed', () => {
  let link: SlowLink;

  beforeAll(async () => {
    link = await new SlowLink(sidecars[1]!.address).start();
    link.delayMs = 20;
    await startBefore([sidecars[0]!.address, link.address]);
  });

  afterAll(async () => {
    await system.stop();
    link.cut();
  });

  it('gives the slow one fewer items, but some', async () => {
    const results = await batch(goodItems(1_000)).results;
    const { 'engine-1': fast = 0, 'engine-2': slow = 0 } = perEngine(results);
    expect(fast + slow).toBe(1_000);
    expect(slow).toBeGreaterThan(0);
    expect(slow).toBeLessThan(fast / 2);
  });
});

/** Initial number of concurrent items of an engine: engines/concurrency-limit.ts. */
const LIMIT = LIMIT_DEFAULTS.initial;

describe('a batch that its caller cancels', () => {
  let silent: LyingEngine;

  beforeAll(async () => {
    silent = await new LyingEngine(sidecars[0]!.address).start();
    silent.stall = true;
    await startBefore([silent.address], { stall_timeout_ms: 60_000 });
  });

  afterAll(async () => {
    await system.stop();
    silent.stop();
  });

  it('is given up: its running items are cancelled, and no others are sent', async () => {
    const call = batch(goodItems(1_000));
    await until(() => silent.counts.seen === LIMIT, {
      what: 'the first items to reach the engine',
    });
    call.cancel();
    expect((await refusalOf(call.results)).code).toBe('CANCELLED');
    await until(() => silent.counts.cancelled === LIMIT, { what: 'the engine to get the cancellation' });
    expect([totalInFlight(), silent.counts.seen]).toEqual([0, LIMIT]);
  });
});
