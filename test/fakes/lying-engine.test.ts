import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RouterError } from '../../services/core/errors.ts';
import type { CallContext, Inference } from '../../services/core/inference.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import {
  EngineServiceClient,
  InferItem,
  type Inference as WireInference,
} from '../../services/generated/tandem/engine/v1/engine.ts';
import { readHeldout } from '../support/heldout.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { LyingEngine, addSpike, answerNaN, flipDigestBit } from './lying-engine.ts';
import { SUPERSENSE } from '../support/models.ts';

const inputs = readHeldout().map(({ data }) => ({ model: 'supersense', version: 1, shape: [768], data }));

let sidecar: RunningSidecar;
/** The true answer, directly from the sidecar. */
let honest: SidecarEngine;
let liar: LyingEngine;
let engine: SidecarEngine;

beforeAll(async () => {
  sidecar = await startSidecar(SUPERSENSE);
  honest = new SidecarEngine('honest', sidecar.address);
  await honest.start();
});

afterAll(async () => {
  await honest.stop();
  await sidecar.stop();
});

beforeEach(async () => {
  liar = await new LyingEngine(sidecar.address).start();
  engine = new SidecarEngine('engine-1', liar.address);
  await engine.start();
});

afterEach(async () => {
  liar.stop();
  await engine.stop();
});

function context(over: Partial<CallContext> = {}): CallContext {
  return { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
}

async function ask(of: SidecarEngine, count: number): Promise<Inference[]> {
  return await Promise.all(inputs.slice(0, count).map((input) => of.infer(input, context())));
}

function digests(answers: Inference[]): bigint[] {
  return answers.map(({ stateDigest }) => stateDigest);
}

async function kindOf(answering: Promise<unknown>): Promise<string> {
  return await answering.then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}

describe('a lying engine without instructions', () => {
  it('describes the sidecar’s models as its own, and itself as another process', () => {
    const { instanceId } = engine.description ?? {};
    expect(engine.description).toEqual({ ...honest.description, instanceId });
    expect(instanceId).not.toBe(honest.description?.instanceId);
    expect(engine.description?.models[0]?.modelId).not.toBe(0n);
  });

  it('answers correctly, and counts the answers', async () => {
    const untimed = (answers: Inference[]): Partial<Inference>[] =>
      answers.map((answer) => ({ ...answer, queueUs: 0, computeUs: 0, batchItems: 0, recordingId: 0n }));
    expect(untimed(await ask(engine, 20))).toEqual(untimed(await ask(honest, 20)));
    expect(liar.counts).toEqual({ seen: 20, answered: 20, lied: 0, refused: 0, cancelled: 0 });
  });

  it('passes on the sidecar’s refusals', async () => {
    expect(await kindOf(engine.infer({ ...inputs[0]!, model: 'nobody' }, context()))).toBe('UNKNOWN_MODEL');
    expect(liar.counts).toMatchObject({ seen: 1, answered: 0 });
  });

  it('is lost with its sidecar, and returns with it', async () => {
    await sidecar.pause();
    const answering = kindOf(engine.infer(inputs[0]!, context()));
    await until(() => liar.counts.seen === 1, { what: 'the item' });
    await sidecar.restart();
    expect(await answering).toBe('ENGINE_LOST');
    for (const each of [engine, honest]) {
      await until(() => each.description, { what: `${each.id} to be back` });
      expect(await kindOf(each.infer(inputs[0]!, context()))).toBe('answered');
    }
  });
});

describe('lies', () => {
  it('can be another digest of the same answer', async () => {
    liar.lie = flipDigestBit;
    const [[truth], [lie]] = [await ask(honest, 1), await ask(engine, 1)];
    expect(lie).toMatchObject({ spikeCounts: truth?.spikeCounts, potentials: truth?.potentials });
    expect(lie?.stateDigest).toBe(truth!.stateDigest ^ 1n);
  });

  it('can be another answer with the same digest', async () => {
    liar.lie = addSpike;
    const [[truth], [lie]] = [await ask(honest, 1), await ask(engine, 1)];
    expect(lie?.stateDigest).toBe(truth?.stateDigest);
    expect(lie?.spikeCounts.map((count, at) => count - truth!.spikeCounts[at]!)).toEqual(
      truth?.spikeCounts.map((_, at) => (at === 0 ? 1 : 0)),
    );
  });

  it('can have no numbers', async () => {
    liar.lie = answerNaN;
    const [[truth], [lie]] = [await ask(honest, 1), await ask(engine, 1)];
    const { potentials } = lie!;
    expect(potentials.length).toBe(truth?.potentials.length);
    expect(Buffer.from(potentials).readFloatLE(0)).toBeNaN();
    expect(Buffer.from(potentials).readFloatLE(potentials.length - 4)).toBeNaN();
  });

  it('can be for some inputs only', async () => {
    const chosen = inputs[3]!.data;
    liar.lie = (truth, { data }) => (chosen.equals(data) ? flipDigestBit(truth, InferItem.create()) : undefined);
    const truths = digests(await ask(honest, 5));
    expect(digests(await ask(engine, 5))).toEqual(truths.map((digest, at) => (at === 3 ? digest ^ 1n : digest)));
    expect(liar.counts).toMatchObject({ answered: 5, lied: 1 });
  });

  it('have the given share, and are the same for the same seed', async () => {
    liar.lie = flipDigestBit;
    liar.lieShare = 0.1;
    await ask(engine, 200);
    const twin = await new LyingEngine(sidecar.address).start();
    Object.assign(twin, { lie: flipDigestBit, lieShare: 0.1 });
    const other = new SidecarEngine('engine-2', twin.address);
    await other.start();
    await ask(other, 200);
    expect(liar.counts.lied).toBeGreaterThan(10);
    expect(liar.counts.lied).toBeLessThan(30);
    expect(twin.counts).toEqual(liar.counts);
    twin.stop();
    await other.stop();
  });
});

describe('faults', () => {
  it.each([
    ['ENGINE_FULL', 'ENGINE_FULL'],
    ['INTERNAL', 'ENGINE_FAULT'],
  ] as const)('can be a refusal with %s', async (reason, kind) => {
    liar.failWith = reason;
    expect(await kindOf(engine.infer(inputs[0]!, context()))).toBe(kind);
    expect(liar.counts).toMatchObject({ seen: 1, answered: 0, refused: 1 });
  });

  it('can be for some items only', async () => {
    liar.failWith = 'ENGINE_FULL';
    liar.failShare = 0.5;
    const kinds = await Promise.all(inputs.slice(0, 100).map((input) => kindOf(engine.infer(input, context()))));
    const refused = kinds.filter((kind) => kind === 'ENGINE_FULL').length;
    expect(refused).toBeGreaterThan(25);
    expect(refused).toBeLessThan(75);
    expect(liar.counts).toMatchObject({ seen: 100, answered: 100 - refused, refused });
  });

  it('can be slowness', async () => {
    liar.delayMs = 100;
    const startMs = performance.now();
    await ask(engine, 10);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(99); // timers count whole milliseconds
  });

  it('can be silence, which never ends for items received meanwhile', async () => {
    liar.stall = true;
    const deadlineMs = performance.now() + 100;
    const unheard = kindOf(engine.infer(inputs[0]!, context({ deadlineMs })));
    await until(() => liar.counts.seen === 1, { what: 'the item' });
    liar.stall = false;
    expect(await ask(engine, 1)).toHaveLength(1);
    expect(await unheard).toBe('DEADLINE_EXCEEDED');
    expect(liar.counts).toMatchObject({ seen: 2, answered: 1 });
  });
});

describe('a cancellation', () => {
  it('is counted, and reaches the sidecar', async () => {
    await sidecar.pause();
    const caller = new AbortController();
    const answering = kindOf(engine.infer(inputs[0]!, context({ signal: caller.signal })));
    await until(() => liar.counts.seen === 1, { what: 'the item' });
    caller.abort();
    await until(() => liar.counts.cancelled === 1, { what: 'the cancellation' });
    sidecar.resume();
    expect(await answering).not.toBe('answered');
    expect(await ask(engine, 1)).toHaveLength(1);
  });
});

describe('the call Infer', () => {
  let client: EngineServiceClient;

  beforeEach(() => {
    client = new EngineServiceClient(liar.address, grpc.credentials.createInsecure());
  });

  afterEach(() => {
    client.close();
  });

  function infer(timeoutMs = 5_000): Promise<WireInference | undefined> {
    const item = InferItem.fromPartial({ model: 'supersense', shape: [768], data: inputs[0]!.data });
    return new Promise((resolve, reject) => {
      client.infer({ item }, new grpc.Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) =>
        error ? reject(error) : resolve(response.inference),
      );
    });
  }

  it('is forwarded, and answered with a lie', async () => {
    const [truth] = digests(await ask(honest, 1));
    expect((await infer())?.stateDigest).toBe(truth);
    liar.lie = flipDigestBit;
    expect((await infer())?.stateDigest).toBe(truth! ^ 1n);
    expect(liar.counts).toEqual({ seen: 2, answered: 2, lied: 1, refused: 0, cancelled: 0 });
  });

  it('is refused with a status', async () => {
    liar.failWith = 'ENGINE_FULL';
    await expect(infer()).rejects.toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED, details: 'on purpose' });
  });

  it('is cancelled when its caller stops waiting', async () => {
    liar.stall = true;
    await expect(infer(50)).rejects.toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    await until(() => liar.counts.cancelled === 1, { what: 'the cancellation' });
  });
});
