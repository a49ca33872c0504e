import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { toGrpcJs } from '../../services/api/grpc-js/call.ts';
import { toStatus } from '../../services/api/status.ts';
import { RouterError } from '../../services/core/errors.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { readHeldout } from './heldout.ts';
import { type LoadOptions, LoadResult, closedLoad, paceLoad } from './load.ts';
import { type RunningSidecar, startSidecar } from './sidecar.ts';
import { until } from './until.ts';
import { SUPERSENSE } from './models.ts';

const inputs = readHeldout();

let sidecar: RunningSidecar;
let engine: SidecarEngine;

beforeAll(async () => {
  sidecar = await startSidecar(SUPERSENSE);
  engine = new SidecarEngine('engine-1', sidecar.address);
  await engine.start();
});

afterEach(() => {
  sidecar.resume();
});

afterAll(async () => {
  await engine.stop();
  await sidecar.stop();
});

/** Acts like a router with one engine. */
const system: LoadOptions['system'] = {
  reason: async ({ tensor, model = 'supersense' }, { deadline } = {}) => {
    const input = { model, version: 1, shape: tensor!.shape, data: tensor!.data };
    const leftMs = deadline === undefined ? Infinity : Number(deadline) - Date.now();
    const context = { deadlineMs: performance.now() + leftMs, signal: new AbortController().signal };
    const { stateDigest } = await engine.infer(input, context).catch((error: unknown) => {
      throw Object.assign(new Error(), toGrpcJs(toStatus(RouterError.from(error))));
    });
    const attempts = [{ engineId: 'engine-1', outcome: 'OK', durationUs: 1 }];
    return ReasonResponse.fromPartial({ stateDigest, engine: { engineId: 'engine-1' }, attempts });
  },
};

describe('a paced load', () => {
  it('sends at its rate until it is stopped, and records the outcome of each request', async () => {
    const beganMs = performance.now();
    const load = paceLoad({ system, inputs, ratePerS: 1_000 });
    await until(() => load.started >= 500, { what: '500 requests' });
    expect(load.started).toBeLessThanOrEqual(performance.now() - beganMs + 1);
    const { requests, failed, perEngine } = await load.stop();
    expect(failed).toEqual([]);
    expect(requests).toHaveLength(load.started);
    expect(perEngine).toEqual({ 'engine-1': load.started });
    const [first, second] = requests.toSorted((a, b) => a.dueMs - b.dueMs);
    expect(second!.dueMs - first!.dueMs).toBeCloseTo(1);
    expect(first).toMatchObject({ input: 0, outcome: 'OK', code: 'OK', engineId: 'engine-1' });
    expect(first?.attempts).toMatchObject([{ engineId: 'engine-1', outcome: 'OK' }]);
    expect(first?.response?.stateDigest).not.toBe(0n);
    expect(first!.startMs).toBeGreaterThanOrEqual(first!.dueMs);
    expect(first!.endMs).toBeGreaterThan(first!.startMs);
  });

  it('continues to send without answers', async () => {
    await sidecar.pause();
    const load = paceLoad({ system, inputs, ratePerS: 1_000, total: 300 });
    await until(() => load.started === 300, { what: '300 requests' });
    sidecar.resume();
    expect((await load.finished).failed).toEqual([]);
  });

  it('sends overdue requests after a delay, and includes the delay in their latency', async () => {
    const load = paceLoad({ system, inputs, ratePerS: 1_000, total: 300 });
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs); // the thread is busy
    const result = await load.finished;
    expect(result.requests).toHaveLength(300);
    expect(Math.max(...result.requests.map(({ dueMs, startMs }) => startMs - dueMs))).toBeGreaterThan(190);
    expect(result.percentileMs(100)).toBeGreaterThan(190);
  });

  it('records the reason why a request failed', async () => {
    await sidecar.pause();
    const tired = await paceLoad({ system, inputs, ratePerS: 1_000, total: 10, deadlineMs: 200 }).finished;
    sidecar.resume();
    expect(tired.failed).toHaveLength(10);
    expect(tired.failed[0]).toMatchObject({ outcome: 'DEADLINE_EXCEEDED', code: 'DEADLINE_EXCEEDED', engineId: '' });
    const request = { model: 'nobody' };
    const refused = await paceLoad({ system, inputs, request, ratePerS: 1_000, total: 10 }).finished;
    expect(refused.failed[0]).toMatchObject({ outcome: 'UNKNOWN_MODEL', code: 'NOT_FOUND' });
    expect([refused.perEngine, refused.percentileMs(50)]).toEqual([{}, NaN]);
  });
});

describe('a closed load', () => {
  it('keeps the given number of requests open', async () => {
    const inFlight: number[] = [];
    const watching: LoadOptions['system'] = {
      reason: (...call) => {
        inFlight.push(engine.inFlight + 1);
        return system.reason(...call);
      },
    };
    const { requests, failed } = await closedLoad({ system: watching, inputs, total: 500, inFlight: 20 }).finished;
    expect([requests.length, failed.length]).toEqual([500, 0]);
    expect(Math.max(...inFlight)).toBe(20);
    expect(new Set(requests.map(({ input }) => input)).size).toBe(Math.min(500, inputs.length));
  });

  it('can be stopped', async () => {
    const load = closedLoad({ system, inputs, total: Infinity, inFlight: 4 });
    await until(() => load.started > 40, { what: 'some requests' });
    expect((await load.stop()).requests).toHaveLength(load.started);
  });
});

describe('percentiles', () => {
  it('are by the nearest rank', () => {
    const template = {
      input: 0,
      startMs: 0,
      outcome: 'OK',
      code: 'OK',
      engineId: 'e',
      attempts: [],
      response: undefined,
    };
    const result = new LoadResult([30, 10, 20, 50, 40].map((endMs) => ({ ...template, dueMs: 0, endMs })));
    expect([0, 20, 21, 50, 99, 100].map((percent) => result.percentileMs(percent))).toEqual([10, 10, 20, 30, 50, 50]);
  });
});
