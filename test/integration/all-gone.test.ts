import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ReasonRequest } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheStatus, Grade } from '../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../support/heldout.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const heldout = readHeldout();
/** On an idle machine under 1,000. */
const BACK_WITHIN_MS = 2_000;

let sidecars: RunningSidecar[];
let system: System;
let unasked = 0;

beforeAll(async () => {
  sidecars = await Promise.all([startSidecar(SUPERSENSE), startSidecar(SUPERSENSE)]);
  system = await startSystem({
    local: { enabled: false },
    spawn: { count: 0 },
    sidecars: sidecars.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
    cache: { ttl_ms: 0 }, // every stored answer is expired
    stall_timeout_ms: 60_000, // a paused sidecar counts as lost when it is killed, not before
  });
});

afterAll(async () => {
  await system.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
});

const request = (at: number): Partial<ReasonRequest> => {
  return { tensor: { shape: [768], dtype: 'FP32', data: heldout[at]!.data } };
};
/** A new input. */
const newRequest = (): Partial<ReasonRequest> => request(++unasked);

async function killAll(): Promise<void> {
  await Promise.all(sidecars.map((sidecar) => sidecar.kill()));
  await until(() => system.pool.engines.every(({ state }) => state === 'DOWN'), { what: 'the router to notice' });
}

async function restartAll(): Promise<void> {
  await Promise.all(sidecars.map((sidecar) => sidecar.restart()));
  await until(() => system.pool.engines.every(({ isAvailable }) => isAvailable), { what: 'all engines to be back' });
}

describe('while all engines are lost', () => {
  const sent = request(0);
  let digest: bigint;

  beforeAll(async () => {
    ({ stateDigest: digest } = await system.reason(sent));
    await killAll();
  });

  afterAll(restartAll);

  it('an input that was answered before gets the old answer, marked STALE', async () => {
    const { cache, grade, stateDigest, attempts } = await system.reason(sent);
    expect({ cache, grade, attempts }).toEqual({
      cache: CacheStatus.CACHE_STATUS_STALE,
      grade: Grade.GRADE_STALE,
      attempts: [],
    });
    expect(stateDigest).toBe(digest);
  });

  it('a new input is refused, with the state of each engine and when to try again', async () => {
    const call = system.reason(newRequest());
    expect(await refusalOf(call)).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'NO_ENGINE',
      message: expect.stringMatching(/engine-1: down: .+engine-2: down: /) as unknown,
    });
    const { metadata, retryAfterMs } = await refusalOf(call);
    expect(metadata).toEqual({
      tried: '',
      others: expect.stringMatching(/^engine-1: down: .+engine-2: down: /) as unknown,
    });
    expect(retryAfterMs).toBe(500);
  });
});

describe('a request whose engine dies, with all other engines', () => {
  const pauseAll = (): Promise<unknown> => Promise.all(sidecars.map((sidecar) => sidecar.pause()));
  const totalInFlight = (): number => system.pool.engines.reduce((sum, { inFlight }) => sum + inFlight, 0);

  afterAll(restartAll);

  it('is refused with the failed attempts and their errors', async () => {
    await pauseAll();
    const call = system.reason(newRequest());
    const error = refusalOf(call);
    await until(() => totalInFlight() === 1, { what: 'the request to reach an engine' });
    await killAll();
    expect(await refusalOf(call)).toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_ENGINE' });
    const { metadata, retryAfterMs } = await error;
    expect(metadata['tried']).toMatch(/^engine-[12]: ENGINE_LOST/);
    expect(`${metadata['tried']} ${metadata['others']}`).toMatch(/engine-1: .*engine-2: |engine-2: .*engine-1: /);
    expect(retryAfterMs).toBe(500);
  });
});

describe('the first engine that returns', () => {
  beforeEach(killAll);
  afterAll(restartAll);

  // The router checks less often the longer an engine is lost, so the test uses several times.
  it.each([0, 100, 300, 700, 1_100, 1_500, 2_000, 3_000])(
    `after %i ms serves within ${BACK_WITHIN_MS} ms after it is ready`,
    async (awayMs) => {
      const goneMs = performance.now();
      await until(() => performance.now() - goneMs >= awayMs, { what: 'the time to pass' });
      const [first] = sidecars;
      await first!.restart();
      const readyMs = performance.now();
      const input = newRequest();
      const { engine } = await until(() => system.reason(input), { what: 'an answer' });
      const tookMs = performance.now() - readyMs;
      expect(engine?.engineId).toBe('engine-1');
      expect(tookMs).toBeLessThan(BACK_WITHIN_MS);
      if (process.env['FIGURES']) process.stderr.write(`away ${awayMs} ms: served after ${tookMs.toFixed(0)} ms\n`);
    },
  );
});
