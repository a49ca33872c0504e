import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RouterError } from '../../services/core/errors.ts';
import type { Inference } from '../../services/core/inference.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { readHeldout } from '../support/heldout.ts';
import { type RunningSidecar, startSidecar, unusedSocket } from '../support/sidecar.ts';
import { until } from '../support/until.ts';
import { SlowLink } from './slow-link.ts';
import { SUPERSENSE } from '../support/models.ts';

/** Long, so that a busy machine adds less, and below the 500 ms of silence after which an engine is lost. */
const DELAY_MS = 400;

const inputs = readHeldout().map(({ data }) => ({ model: 'supersense', version: 1, shape: [768], data }));

let sidecar: RunningSidecar;
let link: SlowLink;
let engine: SidecarEngine;

beforeAll(async () => {
  sidecar = await startSidecar(SUPERSENSE);
});

afterAll(async () => {
  await sidecar.stop();
});

beforeEach(async () => {
  link = await new SlowLink(sidecar.address).start();
  engine = new SidecarEngine('engine-1', link.address);
  await engine.start();
});

afterEach(async () => {
  link.cut();
  await engine.stop();
});

function infer(input = inputs[0]!, deadlineMs = Infinity): Promise<Inference> {
  return engine.infer(input, { deadlineMs, signal: new AbortController().signal });
}

async function kindOf(answering: Promise<unknown>): Promise<string> {
  return await answering.then(
    () => 'answered',
    (error: unknown) => (error as RouterError).kind,
  );
}

async function timed<T>(work: Promise<T>): Promise<number> {
  const startMs = performance.now();
  await work;
  return performance.now() - startMs;
}

/** Resolves when the engine is ready again. */
function whenBack(): Promise<unknown> {
  return until(() => engine.description, { what: 'the engine to return' });
}

describe('a slow link', () => {
  it('passes everything on without faults', async () => {
    const direct = new SidecarEngine('direct', sidecar.address);
    await direct.start();
    const context = { deadlineMs: Infinity, signal: new AbortController().signal };
    const digests = (answers: Inference[]): bigint[] => answers.map(({ stateDigest }) => stateDigest);
    const expected = digests(await Promise.all(inputs.slice(0, 50).map((input) => direct.infer(input, context))));
    expect(digests(await Promise.all(inputs.slice(0, 50).map((input) => infer(input))))).toEqual(expected);
    await direct.stop();
  });

  it('counts connections and bytes', async () => {
    expect([link.connections, link.open]).toEqual([1, 1]);
    const before = { ...link.bytes };
    await infer();
    const toEngine = link.bytes.toEngine - before.toEngine;
    expect(toEngine).toBeGreaterThan(768 * 4);
    expect(toEngine).toBeLessThan(768 * 4 + 500);
    expect(link.bytes.toRouter).toBeGreaterThan(before.toRouter);
  });

  it('delays answers, and only from now on', async () => {
    link.delayMs = DELAY_MS;
    expect(await timed(infer())).toBeGreaterThanOrEqual(DELAY_MS - 1); // timers count whole milliseconds
    link.delayMs = 0;
    await infer(); // comes after all delayed bytes
    expect(await timed(infer())).toBeLessThan(DELAY_MS);
  });

  it('delays many answers by the same time as one', async () => {
    link.delayMs = DELAY_MS;
    const oneByOne = inputs.slice(0, 20).map(async (input, at) => {
      for (let turn = 0; turn < at; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await infer(input);
    });
    expect(await timed(Promise.all(oneByOne))).toBeLessThan(2 * DELAY_MS);
  });

  it('keeps everything while it is stalled, and loses nothing', async () => {
    link.stalled = true;
    expect(await kindOf(infer(inputs[0], performance.now() + 50))).toBe('DEADLINE_EXCEEDED');
    const answering = infer(inputs[1]);
    expect(engine.description).toBeDefined();
    link.stalled = false;
    expect((await answering).steps).toBeGreaterThan(0);
    expect(link.connections).toBe(1);
  });

  it('loses its bytes in transit when it is cut, and accepts no connection until it is restored', async () => {
    link.stalled = true;
    const answering = kindOf(infer());
    link.cut();
    expect(await answering).toBe('ENGINE_LOST');
    link.stalled = false;
    expect(engine.description).toBeUndefined();
    await until(() => engine.downReason.includes('ENOENT'), { what: 'a refused connection' });
    expect([link.connections, link.open]).toEqual([1, 0]);
    await link.restore();
    await whenBack();
    expect(await kindOf(infer())).toBe('answered');
    expect([link.connections, link.open]).toEqual([2, 1]);
  });
});

describe('a slow link to an engine that dies', () => {
  it('closes the connection to the router, which then loses the answer', async () => {
    await sidecar.pause();
    const answering = kindOf(infer());
    await sidecar.kill();
    expect(await answering).toBe('ENGINE_LOST');
    await sidecar.restart();
    await whenBack();
    expect(await kindOf(infer())).toBe('answered');
  });

  it('sends nothing while it is stalled', async () => {
    link.stalled = true;
    const answering = kindOf(infer());
    await sidecar.restart();
    expect(engine.description).toBeDefined();
    link.stalled = false;
    expect(await answering).toBe('ENGINE_LOST');
    await whenBack();
  });
});

describe('a slow link to a Unix socket', () => {
  it('connects like one to a port', async () => {
    const other = await startSidecar(SUPERSENSE, { listen: unusedSocket() });
    const otherLink = await new SlowLink(other.address).start();
    const otherEngine = new SidecarEngine('engine-2', otherLink.address);
    await otherEngine.start();
    expect(otherEngine.downReason).toBe('');
    await otherEngine.stop();
    otherLink.cut();
    await other.stop();
  });
});
