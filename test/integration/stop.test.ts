// SIGTERM with real processes: not serving → open requests finished → exit 0, in time.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EngineServiceClient, InferRequest } from '../../services/generated/tandem/engine/v1/engine.ts';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../services/generated/tandem/v1/types.ts';
import { LyingEngine } from '../fakes/lying-engine.ts';
import { promised } from '../support/promised.ts';
import { Health } from '../support/health.ts';
import { readHeldout } from '../support/heldout.ts';
import { refusalOf } from '../support/refusal.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { type RunningSidecar, sidecarBinary, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { SUPERSENSE } from '../support/models.ts';

/** The default grace period of `docker stop` and of compose. */
const DOCKER_GRACE_MS = 10_000;

const [{ data } = { data: Buffer.alloc(0) }] = readHeldout();

describe('a stopping router', () => {
  let sidecar: RunningSidecar;
  let front: LyingEngine;
  let router: RouterProcess;
  let client: ReasoningServiceClient;
  let health: Health;

  beforeEach(async () => {
    sidecar = await startSidecar(SUPERSENSE);
    front = await new LyingEngine(sidecar.address).start();
  });

  afterEach(async () => {
    client.close();
    health.close();
    router.kill();
    front.stop();
    await sidecar.kill();
  });

  async function start(over: Record<string, unknown> = {}): Promise<void> {
    router = await startRouter({
      http_listen: '127.0.0.1:0',
      local: { enabled: false },
      sidecars: [{ id: 'one', address: front.address }],
      ...over,
    });
    client = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure());
    health = new Health(router.address);
  }

  function reason(): Promise<ReasonResponse> {
    const cache = CacheMode.CACHE_MODE_BYPASS;
    const request = ReasonRequest.fromPartial({ cache, tensor: { shape: [768], dtype: 'FP32', data } });
    return promised((done) => client.reason(request, done));
  }

  /** Resolves when its engine has it; `answer` is its result. */
  async function underWay(): Promise<{ answer: Promise<ReasonResponse> }> {
    const { seen } = front.counts;
    const answer = reason();
    answer.catch(() => undefined);
    await until(() => front.counts.seen > seen, { what: 'the request to reach the engine' });
    return { answer };
  }

  it('first reports that it is not ready, finishes open requests, and exits with 0', async () => {
    await start();
    const said = health.watch();
    front.delayMs = 700;
    const { answer } = await underWay();
    const stopped = router.stop();
    await until(() => said.at(-1) === 'NOT_SERVING', { what: 'health to say so' });
    const response = await fetch(`http://${router.httpAddress}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, 'the router is stopping\n']);
    expect((await answer).engine?.engineId).toBe('one');
    expect(await stopped).toBe(0);
  });

  it('accepts no new requests meanwhile', async () => {
    await start();
    const said = health.watch();
    front.delayMs = 700;
    await underWay();
    const stopped = router.stop();
    await until(() => said.at(-1) === 'NOT_SERVING', { what: 'health to say so' });
    const late = new ReasoningServiceClient(router.address, grpc.credentials.createInsecure());
    const refused = new Promise((_, reject) => void late.ping({}, (error) => reject(error ?? new Error('pong'))));
    expect((await refusalOf(refused)).code).toBe('UNAVAILABLE');
    late.close();
    expect(await stopped).toBe(0);
  });

  it('is not ready and still accepts requests for drain_delay_ms', async () => {
    await start({ drain_delay_ms: 1_500 });
    const said = health.watch();
    await until(() => said.at(-1) === 'SERVING', { what: 'the first word' });
    const stopped = router.stop();
    await until(() => said.at(-1) === 'NOT_SERVING', { what: 'health to say so' });
    expect((await reason()).engine?.engineId).toBe('one');
    expect(await stopped).toBe(0);
  });

  it('answers stuck requests with UNAVAILABLE after drain_timeout_ms, and says what to do', async () => {
    await start({ drain_timeout_ms: 300 });
    front.stall = true;
    const { answer } = await underWay();
    const stopped = router.stop();
    expect(await refusalOf(answer)).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'DRAINING',
      message: expect.stringMatching(/the router is stopping.*\(300 ms\); send it again, elsewhere/) as unknown,
    });
    expect(await stopped).toBe(0);
  });

  it('exits with 0 within Docker’s grace period by default, with a stuck request, a watcher and its own sidecar', async () => {
    // A stalled engine's request would otherwise move to the other engine.
    await start({
      stall_timeout_ms: 60_000,
      retry: { budget_percent: 0 },
      spawn: { count: 1, socket_dir: mkdtempSync(join(tmpdir(), 'tandem-stop-')) },
    });
    health.watch();
    front.stall = true;
    const refusals = [refusalOf(reason()), refusalOf(reason())]; // one goes to each
    await until(() => front.counts.seen === 1, { what: 'the request to be stuck' });
    const startedMs = performance.now();
    expect(await router.stop()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(DOCKER_GRACE_MS);
    const reasons = (await Promise.all(refusals)).map(({ reason }) => reason);
    expect(reasons.sort()).toEqual(['', 'DRAINING']);
  }, 90_000);
});

describe('a sidecar', () => {
  let child: ChildProcess;
  let address: string;
  let engine: EngineServiceClient;

  async function start(binary: string, args: string[] = []): Promise<void> {
    child = spawn(binary, ['--models', SUPERSENSE, '--listen', '127.0.0.1:0', '--log-level', 'info', ...args]);
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    ({ address } = JSON.parse(line) as { address: string });
    engine = new EngineServiceClient(address, grpc.credentials.createInsecure());
  }

  afterEach(() => {
    engine.close();
    child.kill('SIGKILL');
  });

  function infer(): Promise<unknown> {
    const item = { model: 'supersense', shape: [768], data };
    return promised((done) => engine.infer(InferRequest.fromPartial({ item }), done));
  }

  const exitCode = async (): Promise<unknown> => ((await once(child, 'exit')) as unknown[])[0];

  it('ignores SIGHUP, and says that its settings are its flags', async () => {
    await start(sidecarBinary());
    let log = '';
    child.stderr!.on('data', (chunk) => (log += String(chunk)));
    child.kill('SIGHUP');
    await until(() => /SIGHUP: nothing is reloaded; .* restart it/.test(log), { what: 'its word' });
    expect(await infer()).toMatchObject({ inference: { modelVersion: 1 } });
  });

  it('exits with 0 within Docker’s grace period by default, with a stuck input', async () => {
    await start(join(dirname(sidecarBinary()), 'tandem-engine-faulty'), ['--fault', 'delay_ms=60000']);
    const stuck = refusalOf(infer());
    const health = new Health(address);
    health.watch();
    // Two calls on one connection are read in order.
    await new Promise((resolve) => void engine.describe({}, resolve));
    let log = '';
    child.stderr!.on('data', (chunk) => (log += String(chunk)));
    const code = exitCode();
    const startedMs = performance.now();
    child.kill('SIGTERM');
    expect((await stuck).code).toBe('UNAVAILABLE');
    expect(await code).toBe(0);
    expect(log).toMatch(/finishing 1 inputs in flight/);
    expect(performance.now() - startedMs).toBeLessThan(DOCKER_GRACE_MS);
    health.close();
  }, 90_000);
});
