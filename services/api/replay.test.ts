// From a recorded dispute to the neuron where it began: `tandem replay`, the call of the router, real engines.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { FakeEngine } from '../../test/fakes/fake-engine.ts';
import { ModelFolder } from '../../test/support/model-folder.ts';
import { matrix } from '../../test/support/nir-writer.ts';
import { type Finished, run } from '../../test/support/process.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { chain, node } from '../../test/support/run-network.ts';
import { type RunningSidecar, startSidecar } from '../../test/support/sidecar.ts';
import { hex64 } from '../core/hex.ts';
import type { Inference } from '../core/inference.ts';
import { LocalEngine } from '../engines/local/local-engine.ts';
import { RepositoryModels } from '../engines/local/repository-models.ts';
import { EnginePool } from '../engines/pool.ts';
import { PooledEngine } from '../engines/pooled-engine.ts';
import { SidecarEngine } from '../engines/sidecar/sidecar-engine.ts';
import {
  EngineAdminServiceClient,
  EngineAdminServiceService,
  ReplayInputRequest,
  type ReplayInputResponse,
} from '../generated/tandem/v1/engines.ts';
import { DisputeLog, type DisputeLogOptions } from '../telemetry/dispute-log.ts';
import type { Dispute } from '../telemetry/dispute-record.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { replayInput } from '../routing/replay.ts';
import { type Served, serve } from '../../test/support/serve.ts';
import { OpenCalls } from './open-calls.ts';
import { replayHandler } from './replay.ts';
import { methodsOf } from './methods.ts';
import { unary } from './unary.ts';

const graph = chain(2, 2, {
  dense: node('Linear', { weight: matrix([1, 0.5], [0.25, 1]) }),
  hidden: node('CubaLIF', { tau_syn: 2, tau_mem: 4, r: 3, v_leak: 0, v_threshold: 1 }),
});
const folder = new ModelFolder().add('m', 1, graph, 'dt: 1\nsteps: 8');
const records = mkdtempSync(join(tmpdir(), 'tandem-replay-'));
const data = Buffer.from(Float32Array.of(1, 0.7).buffer);
const request = { model: 'm', modelVersion: 1, tensor: { shape: [2], dtype: 'FP32', data } };

const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: true });
const local = new LocalEngine({ id: 'local', modelsDir: folder.path, models, workers: 1 });
const odd = new FakeEngine('odd');
const BREAKER = { failurePercent: 50, minRequests: 5, windowMs: 1_000, resetMs: 100 };
const pool = new EnginePool(models, BREAKER);
let running: RunningSidecar;
let sidecar: SidecarEngine;
let server: Served;
let address: string;
let client: EngineAdminServiceClient;

beforeAll(async () => {
  running = await startSidecar(folder.path);
  sidecar = new SidecarEngine('engine-1', running.address);
  await Promise.all([local.start(), sidecar.start()]);
  pool.add(local);
  pool.add(sidecar);
  const options = {
    timeoutMs: 10_000,
    onInternalError: () => undefined,
    observer: new Metrics(),
    calls: new OpenCalls(),
  };
  const { replayInput } = EngineAdminServiceService;
  server = await serve(methodsOf({ replayInput }, { replayInput: unary(options, replayHandler(pool)) }));
  ({ address } = server);
  client = new EngineAdminServiceClient(address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  server.stop();
  await Promise.all([local.stop(), sidecar.stop()]);
  await running.stop();
  folder.remove();
  rmSync(records, { recursive: true, force: true });
});

afterEach(() => {
  if (pool.engines.some(({ id }) => id === 'odd')) pool.remove('odd');
});

function replay(over: Partial<ReplayInputRequest> = {}): Promise<ReplayInputResponse> {
  return new Promise((resolve, reject) => {
    const whole = ReplayInputRequest.fromPartial({ ...request, ...over });
    client.replayInput(whole, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** Adds an engine to the pool that differs from the others in one bit of neuron 1 of "hidden" from step 3 on. */
function addOdd(): void {
  odd.behaviour = async (input, context) => {
    const answer = await local.infer(input, context);
    return { ...answer, stateDigest: answer.stateDigest ^ 1n };
  };
  odd.tracing = async (input, place, context) => {
    const truth = await local.trace(input, place, context);
    const from = 3 * truth.nodes.length + truth.nodes.indexOf('hidden');
    const digests = truth.digests.map((digest, at) => (at >= from ? digest ^ 1n : digest));
    const current = Uint8Array.from(truth.current);
    if (place?.node === 'hidden' && place.step >= 3) current[4]! ^= 1;
    return { ...truth, digests, current };
  };
  odd.up(...local.description!.models);
  pool.add(odd);
}

/** Writes disputes and resolves to the file. */
async function recorded(
  name: string,
  requestIds: readonly string[],
  over: Partial<DisputeLogOptions> = {},
  dispute: Partial<Dispute> = {},
): Promise<string> {
  const file = join(records, name);
  const log = new DisputeLog({ file, maxBytes: 1_000_000, files: 1, input: 'included', ...over });
  const ballot = { build: 'b', readoutDigest: 0n, why: '', durationMs: 1 };
  for (const requestId of requestIds) {
    log.record({
      requestId,
      traceId: '',
      model: 'm',
      version: 1,
      modelId: local.description!.models[0]!.modelId,
      strategy: 'REDUNDANT',
      shape: [2],
      data,
      state: Buffer.alloc(0),
      verdict: 'MAJORITY',
      ballots: [
        { ...ballot, engineId: 'local', stateDigest: 1n, outcome: 'AGREED' },
        { ...ballot, engineId: 'odd', stateDigest: 2n, outcome: 'DISSENTED' },
      ],
      differences: [],
      ...dispute,
    });
  }
  await log.stop();
  return file;
}

/** A session of two messages: the state after the first and the result of both. */
async function twoMessages(): Promise<{ first: Inference; whole: Inference }> {
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  const message = { model: 'm', version: 1, shape: [2], data };
  const first = await local.infer({ ...message, returnState: true }, context);
  return { first, whole: await local.infer({ ...message, state: first.state! }, context) };
}

function tandem(...args: string[]): Promise<Finished> {
  return run('services/cli/main.ts', ['replay', ...args, '--address', address]).finished;
}

describe('ReplayInput', () => {
  it('reports that the local engine and a real sidecar agree', async () => {
    const { engines, differences, modelId, processingTimeMs } = await replay();
    expect(engines).toMatchObject([
      { engineId: 'local', build: expect.stringMatching(/^tandem-local/) as unknown, error: '' },
      { engineId: 'engine-1', build: expect.stringMatching(/^tandem-engine/) as unknown, error: '' },
    ]);
    const [a, b] = engines;
    expect([a?.stateDigest, a?.readoutDigest]).toEqual([b?.stateDigest, b?.readoutDigest]);
    expect([a?.stateDigest === 0n, differences]).toEqual([false, []]);
    expect(modelId).toBe(local.description!.models[0]!.modelId);
    expect(processingTimeMs).toBeGreaterThan(0);
  });

  it('finds the first step, node and neuron at which an engine differs', async () => {
    addOdd();
    const [found, ...others] = (await replay()).differences;
    const place = { step: 3, node: 'hidden', element: 1, quantity: 'current' };
    expect([found, others]).toMatchObject([{ engineId: 'odd', referenceEngineId: 'local', ...place }, []]);
    expect(found!.valueBits ^ found!.referenceBits).toBe(1);
  });

  it('finds the same location with the traces of a real sidecar', async () => {
    addOdd();
    const [found] = (await replay()).differences;
    const twin = new FakeEngine('twin').up(...local.description!.models);
    twin.behaviour = (input, context) => sidecar.infer(input, context);
    const engines = [sidecar, twin, odd].map((engine) => new PooledEngine(engine, models, BREAKER, () => undefined));
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    const input = { model: 'm', version: 1, shape: [2], data };
    const { differences } = await replayInput({ engines, served: (...of) => pool.served(...of) }, input, context);
    const { referenceEngineId: _, ...place } = found!;
    expect(differences).toEqual([{ ...place, referenceId: 'engine-1' }]);
  });

  it.each([
    ['no model', { model: '' }, 'INVALID_FIELD'],
    ['an unknown model', { model: 'none' }, 'UNKNOWN_MODEL'],
    ['no input', { tensor: undefined }, 'INPUT_MISSING'],
    ['another type of numbers', { tensor: { shape: [2], dtype: 'FP64', data } }, 'INPUT_DTYPE'],
    ['half an element', { tensor: { shape: [2], dtype: 'FP16', data: data.subarray(1) } }, 'INPUT_DTYPE'],
  ])('refuses %s', async (_, over, reason) => {
    expect((await refusalOf(replay(over))).reason).toBe(reason);
  });

  it('starts with the state of a session if it is given', async () => {
    const { first, whole } = await twoMessages();
    const { engines } = await replay({ state: Buffer.from(first.state!) });
    expect(engines.map(({ stateDigest, error }) => [stateDigest, error])).toEqual([
      [whole.stateDigest, ''],
      [whole.stateDigest, ''],
    ]);
  });

  it('finds where an engine differs in a message of a session', async () => {
    const { first } = await twoMessages();
    addOdd();
    const [found] = (await replay({ state: Buffer.from(first.state!) })).differences;
    expect(found).toMatchObject({ engineId: 'odd', step: 3, node: 'hidden', element: 1 });
  });

  it('returns the same error of each engine for an invalid state', async () => {
    const { engines } = await replay({ state: Buffer.from('no state') });
    expect(engines.map(({ error }) => error.split(':', 1)[0])).toEqual(['STATE_INVALID', 'STATE_INVALID']);
  });

  it('returns the same error of each engine for an invalid input', async () => {
    const { engines } = await replay({ tensor: { shape: [1], dtype: '', data: data.subarray(4) } });
    expect(engines.map(({ error }) => error.split(':', 1)[0])).toEqual(['INPUT_LENGTH', 'INPUT_LENGTH']);
  });
});

describe('tandem replay', () => {
  it('reports that all engines now agree', async () => {
    const { code, stdout } = await tandem(await recorded('agree.jsonl', ['r-1']));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^All 2 engines that answered agree, to the bit\.$/m)]);
    expect(stdout).toMatch(/^record 1, \S+: m\/1, REDUNDANT came to MAJORITY \(request r-1\)$/m);
    expect(stdout).toMatch(/^odd: no longer in the pool; then 0{15}2$/m);
  });

  it('shows the first step, node and neuron at which an engine differs', async () => {
    addOdd();
    const { stdout } = await tandem(await recorded('differ.jsonl', ['r-1', 'r-2']));
    expect(stdout).toMatch(/^record 2, .*\(request r-2\)$/m);
    expect(stdout).toMatch(/^The engines differ\. A: local, engine-1; B: odd\.$/m);
    expect(stdout).toMatch(/^odd differs from local first at step 3, node "hidden", neuron 1, in its current:$/m);
    expect(stdout).toMatch(/^ {2}odd {4}[0-9a-f]{8} {2}[\d.]+\n {2}local {2}[0-9a-f]{8} {2}[\d.]+$/m);
  });

  it('continues from the state of a session and computes the same digest', async () => {
    const { first, whole } = await twoMessages();
    const { stdout, code } = await tandem(await recorded('session.jsonl', ['r-1'], {}, { state: first.state! }));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/the run goes on from step 8$/m)]);
    expect(stdout).toMatch(new RegExp(`^local +A +0{15}1 +${hex64(whole.stateDigest)} `, 'm'));
    expect(stdout).toMatch(/^All 2 engines that answered agree, to the bit\.$/m);
  });

  it('replays the selected record, also as JSON', async () => {
    const file = await recorded('many.jsonl', ['r-1', 'r-2', 'r-3']);
    expect((await tandem(file, '--record', '2')).stdout).toMatch(/^record 2, .*\(request r-2\)$/m);
    const { stdout } = await tandem(file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ record: 3, engines: [{ engineId: 'local' }, { engineId: 'engine-1' }] });
  });

  it('accepts an input file only if its hash matches the record', async () => {
    const hashed = await recorded('hash-only.jsonl', ['r-1'], { input: 'hashed' });
    const [same, other] = [join(records, 'same.json'), join(records, 'other.json')];
    writeFileSync(same, '[1, 0.7]');
    writeFileSync(other, '[1, 0.8]');
    const [ran, refused, ambiguous] = await Promise.all([
      tandem(hashed, '--input', same),
      tandem(hashed, '--input', other),
      tandem('-', '--input', '-'),
    ]);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringMatching(/^All 2 engines that answered agree/m)]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/is not the input of record 1: its hash/),
    ]);
    expect([ambiguous.code, ambiguous.stderr]).toEqual([2, expect.stringMatching(/standard input is one file/)]);
  });

  it('reports missing records, options and files', async () => {
    const one = await recorded('one.jsonl', ['r-1']);
    const ends = await Promise.all([
      tandem(one, '--record', '2'),
      tandem(one, '--record', 'first'),
      tandem('/no/such/file'),
    ]);
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(ends.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/holds no record 2; it has 1/),
      expect.stringMatching(/whole number from 1, or "last"/),
      expect.stringMatching(/no\/such\/file/),
    ]);
  });
});
