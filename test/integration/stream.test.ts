import { getEventListeners } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenCalls } from '../../services/api/open-calls.ts';
import { reasoningMethods } from '../../services/api/reasoning.ts';
import { type ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../../services/generated/tandem/v1/types.ts';
import type { Router } from '../../services/routing/router.ts';
import { Metrics } from '../../services/telemetry/metrics.ts';
import { fakeTracing } from '../fakes/fake-parts.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { SlowLink } from '../fakes/slow-link.ts';
import { settledHeapBytes } from '../support/heap.ts';
import { readHeldout } from '../support/heldout.ts';
import { Operator } from '../support/operator.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { type Served, serve } from '../support/serve.ts';
import { StreamCaller, outcomeOf } from '../support/stream-caller.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

const heldout = readHeldout();
const WINDOW = 128; // setting stream_window

let sidecar: RunningSidecar;

beforeAll(async () => {
  sidecar = await startSidecar(SUPERSENSE);
});

afterAll(async () => {
  await sidecar.stop();
});

function good(at: number, over: Partial<ReasonRequest> = {}): Partial<ReasonRequest> {
  const { data } = heldout[at % heldout.length]!;
  const tensor = { shape: [768], dtype: 'FP32', data };
  return { requestId: `request ${at}`, tensor, cache: CacheMode.CACHE_MODE_BYPASS, ...over };
}

/** A router before engines at these addresses: engine-1, engine-2. */
async function startBefore(addresses: readonly string[], settings: Record<string, unknown> = {}): Promise<System> {
  return await startSystem({
    local: { enabled: false },
    spawn: { count: 0 },
    sidecars: addresses.map((address, at) => ({ id: `engine-${at + 1}`, address })),
    ...settings,
  });
}

const inFlight = (system: System): number => system.pool.engines.reduce((sum, engine) => sum + engine.inFlight, 0);

describe('a stream', () => {
  let system: System;
  let other: RunningSidecar;
  let link: SlowLink;
  let caller: StreamCaller;

  beforeAll(async () => {
    other = await startSidecar(SUPERSENSE);
    link = await new SlowLink(other.address).start();
    system = await startBefore([sidecar.address, link.address]);
  });

  afterAll(async () => {
    await system.stop();
    link.cut();
    await other.stop();
  });

  beforeEach(() => {
    caller = new StreamCaller(system.client);
  });

  afterEach(() => {
    link.delayMs = 0;
  });

  it('sends each answer when it is ready, with its request’s id', async () => {
    link.delayMs = 50;
    for (let at = 0; at < 10; at += 1) caller.send(good(at, { strategy: Strategy.STRATEGY_ROUND_ROBIN }));
    caller.end();
    expect(await caller.ended).toMatchObject({ code: grpc.status.OK });
    const ids = caller.answers.map(({ requestId }) => requestId);
    expect(ids.toSorted()).toEqual(Array.from({ length: 10 }, (_, at) => `request ${at}`));
    expect(ids).not.toEqual(ids.toSorted());
    for (const { requestId, outcome } of caller.answers) {
      const alone = await system.reason(good(Number(requestId.slice('request '.length))));
      expect(outcome).toMatchObject({ value: { requestId, stateDigest: alone.stateDigest } });
    }
  });

  it('continues after an error of one request', async () => {
    const { data } = heldout[0]!;
    caller.send(good(0, { requestId: 'short', tensor: { shape: [767], dtype: '', data: data.subarray(4) } }));
    caller.send(good(0, { requestId: 'nobody', model: 'nobody' }));
    caller.send(Buffer.from([0x22, 0xff, 0xff, 0x01, 0x00])); // an item that is not a request
    caller.sendMessage(Buffer.from([0x0a, 0xff, 0xff, 0x01, 0x00])); // an invalid message
    caller.sendMessage(Buffer.alloc(0));
    caller.send(good(0));
    await until(() => caller.answers.length === 6, { what: 'an answer to each' });
    caller.send(good(1));
    caller.end();
    expect((await caller.ended).code).toBe(grpc.status.OK);
    const answered = caller.answers.map((answer) => [answer.requestId, outcomeOf(answer)].join(': '));
    expect(answered.toSorted()).toEqual(
      [
        ': INPUT_MISSING',
        ': INVALID_FIELD',
        ': INVALID_FIELD',
        'nobody: UNKNOWN_MODEL',
        'request 0: OK',
        'request 1: OK',
        'short: INPUT_LENGTH',
      ].toSorted(),
    );
  });

  it('is answered completely after a half-close', async () => {
    for (let at = 0; at < 1_000; at += 1) caller.send(good(at));
    caller.end();
    expect((await caller.ended).code).toBe(grpc.status.OK);
    expect(caller.answers.map(outcomeOf)).toEqual(Array(1_000).fill('OK'));
  });

  it('returns a repeated request_id with each of its answers', async () => {
    for (const at of [0, 1]) caller.send(good(at, { requestId: 'same' }));
    caller.end();
    await caller.ended;
    expect(caller.answers.map(({ requestId }) => requestId)).toEqual(['same', 'same']);
  });

  it('creates an id for a request without one', async () => {
    caller.send(good(0, { requestId: '' }));
    caller.end();
    await caller.ended;
    expect(caller.answers[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('without requests ends with OK', async () => {
    caller.end();
    expect((await caller.ended).code).toBe(grpc.status.OK);
    expect(caller.answers).toEqual([]);
  });

  it('leaks no memory in a thousand streams', async () => {
    caller.cancel();
    const openAndClose = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time += 1) {
        const stream = new StreamCaller(system.client);
        stream.send(good(time));
        if (time % 4 > 0)
          stream.end(); // three of four end with OK, one is cancelled
        else await until(() => stream.answers.length === 1, { what: 'the answer' }).then(() => stream.cancel());
        await stream.ended;
      }
    };
    await openAndClose(200);
    const beforeBytes = await settledHeapBytes();
    await openAndClose(1_000);
    const perStream = ((await settledHeapBytes()) - beforeBytes) / 1_000;
    if (process.env['FIGURES']) process.stderr.write(`${perStream.toFixed(0)} bytes per stream\n`);
    expect(perStream).toBeLessThan(2_000); // a stream that was kept would be tens of thousands
    expect(inFlight(system)).toBe(0);
  });
});

describe('a stream whose caller disconnects', () => {
  let system: System;
  let silent: LyingEngine;

  beforeAll(async () => {
    silent = await new LyingEngine(sidecar.address).start();
    silent.stall = true;
    system = await startBefore([silent.address], { stall_timeout_ms: 60_000 });
  });

  afterAll(async () => {
    await system.stop();
    silent.stop();
  });

  it.each<[string, (caller: StreamCaller) => void]>([
    ['cancels', (caller) => caller.cancel()],
    [
      'cancels after its half-close',
      (caller) => {
        caller.end();
        caller.cancel();
      },
    ],
  ])('ends when it %s: no engine computes for it any more', async (_how, leave) => {
    const { seen, cancelled } = silent.counts;
    const caller = new StreamCaller(system.client);
    for (let at = 0; at < 20; at += 1) caller.send(good(at));
    await until(() => silent.counts.seen === seen + 20, { what: 'the requests to reach the engine' });
    leave(caller);
    expect((await caller.ended).code).toBe(grpc.status.CANCELLED);
    await until(() => silent.counts.cancelled === cancelled + 20, { what: 'the engine to get the cancellation' });
    expect(inFlight(system)).toBe(0);
  });

  it('ends at its deadline, and is counted as such', async () => {
    const operator = new Operator(system.adminAddress);
    const caller = new StreamCaller(system.client, { headers: { 'grpc-timeout': '200m' } });
    caller.send(good(0));
    expect((await caller.ended).code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await until(() => inFlight(system) === 0, { what: 'the engine to be free' });
    const { errorsByReason } = (await operator.requests('ReasonStream'))!;
    operator.close();
    expect(errorsByReason).toMatchObject({ 'DEADLINE_EXCEEDED/DEADLINE_EXCEEDED': 1n });
  });
});

/** A stub of a router, for tests without requests. */
const nobody = Object.create(null) as Router;

describe('a server of streams', () => {
  let drained: AbortController;
  let metrics: Metrics;
  let server: Served;
  let client: ReasoningServiceClient;

  beforeEach(async () => {
    drained = new AbortController();
    metrics = new Metrics();
    const options = {
      windowSize: WINDOW,
      drained: drained.signal,
      calls: new OpenCalls(),
      maxBatchItems: 1,
      maxInFlight: 4_096,
      timeoutMs: 60_000,
      onInternalError: () => undefined,
      tracing: fakeTracing(),
      observer: metrics,
    };
    server = await serve(reasoningMethods(nobody, options));
    client = new ReasoningServiceClient(server.address, grpc.credentials.createInsecure());
  });

  afterEach(() => {
    client.close();
    server.stop();
  });

  const listeners = (): number => getEventListeners(drained.signal, 'abort').length;
  const errors = (): unknown =>
    metrics.snapshot().requestTypes.find(({ type }) => type === 'ReasonStream')?.errorsByReason;

  async function open(count: number): Promise<StreamCaller[]> {
    const callers = Array.from({ length: count }, () => new StreamCaller(client));
    for (const caller of callers) caller.send(good(0));
    await until(() => callers.every(({ answers }) => answers.length === 1), { what: 'the streams to be open' });
    return callers;
  }

  it('forgets every ended stream', async () => {
    const callers = await open(5);
    expect(listeners()).toBe(5);
    for (const caller of callers.slice(1)) caller.cancel();
    callers[0]!.end();
    await until(() => listeners() === 0, { what: 'the streams to be forgotten' });
  });

  it('counts those it ends itself as DRAINING, and accepts no new ones', async () => {
    const callers = await open(3);
    drained.abort();
    const late = new StreamCaller(client);
    late.send(good(0));
    for (const caller of [...callers, late]) expect((await caller.ended).code).toBe(grpc.status.UNAVAILABLE);
    expect([errors(), listeners(), late.answers]).toEqual([{ 'UNAVAILABLE/DRAINING': 4 }, 0, []]);
  });
});

describe('a stream that is open when the router stops', () => {
  it('answers all received requests, and ends with DRAINING within the drain time', async () => {
    const link = await new SlowLink(sidecar.address).start();
    link.delayMs = 300;
    const system = await startBefore([link.address], { drain_timeout_ms: 5_000 });
    const operator = new Operator(system.adminAddress);
    const caller = new StreamCaller(system.client);
    for (let at = 0; at < 50; at += 1) caller.send(good(at));
    await until(() => inFlight(system) === 50, { what: 'the requests to be read' });
    const beganMs = performance.now();
    const stopped = system.stop();
    const status = await caller.ended;
    expect(performance.now() - beganMs).toBeLessThan(5_000);
    expect(await refusalOf(Promise.reject(status as unknown as Error))).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'DRAINING',
    });
    expect(caller.answers.map(outcomeOf)).toEqual(Array(50).fill('OK'));
    await stopped;
    operator.close();
    link.cut();
  });
});
