import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../../../test/support/model-folder.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { RouterError } from '../../core/errors.ts';
import type { InferenceInput } from '../../core/inference.ts';
import { LocalEngine } from './local-engine.ts';

const fires = node('IF', { r: 1, v_threshold: 0.5 });
const folder = new ModelFolder()
  .add('small', 1, chain(3, 3, { fires }), 'dt: 1\nsteps: 4')
  .add(
    'overflow',
    1,
    chain(1, 1, { li: node('LI', { tau: 1, r: 1, v_leak: 0 }), big: node('Scale', { scale: 1e38 }) }),
    'dt: 1\ninput: {kind: series}',
  );
const context = { deadlineMs: Infinity, signal: new AbortController().signal };

function input(model: string, ...rows: (readonly number[])[]): InferenceInput {
  const shape = rows.length === 1 ? [rows[0]!.length] : [rows.length, rows[0]!.length];
  return { model, version: 0, shape, data: new Uint8Array(Float32Array.from(rows.flat()).buffer) };
}

async function start(workers: number, recorderBytes?: number): Promise<LocalEngine> {
  const engine = new LocalEngine({ id: 'local', modelsDir: folder.path, workers, recorderBytes });
  await engine.start();
  return engine;
}

describe('recordings of LocalEngine', () => {
  let engine: LocalEngine;
  beforeAll(async () => (engine = await start(2)));
  afterAll(async () => {
    await engine.stop();
    folder.remove();
  });

  it('exist for every answer of every worker', async () => {
    const inputs = Array.from({ length: 40 }, (_, n) => input('small', [n % 2, 1, 0]));
    const answers = await Promise.all(inputs.map((one) => engine.infer(one, context)));
    expect(new Set(answers.map(({ recordingId }) => recordingId)).size).toBe(40);
    for (const [n, { recordingId }] of answers.entries()) {
      const { nodes, steps } = await engine.recording(recordingId, context);
      expect([steps, ...nodes[0]!.spikes]).toEqual([4, ...Array<number>(4).fill(0b10 + (n % 2))]);
    }
  });

  it('exist for a failed run, up to the step before the failure', async () => {
    const error = await engine.infer(input('overflow', [1], [2], [100]), context).catch(RouterError.from);
    expect(error).toMatchObject({ kind: 'NON_FINITE', metadata: { step: '2' } });
    const { recordingId } = error as RouterError;
    expect(await engine.recording(recordingId, context)).toMatchObject({ steps: 2, ended: 'NON_FINITE' });
  });

  it('are refused if they are not kept, and the error says what to do', async () => {
    await expect(engine.recording(12_345n, context)).rejects.toMatchObject({
      kind: 'UNKNOWN_RECORDING',
      message: expect.stringContaining('recorder.max_bytes'),
    });
  });

  it('are not awaited by a caller that has left', async () => {
    const { recordingId } = await engine.infer(input('small', [1, 1, 1]), context);
    const left = { deadlineMs: Infinity, signal: AbortSignal.abort() };
    await expect(engine.recording(recordingId, left)).rejects.toMatchObject({ kind: 'CANCELLED' });
  });

  it('do not exist if recorder.max_bytes is 0', async () => {
    const off = await start(1, 0);
    expect((await off.infer(input('small', [1, 1, 1]), context)).recordingId).toBe(0n);
    await expect(off.infer(input('overflow', [1], [2], [100]), context)).rejects.toMatchObject({ recordingId: 0n });
    await off.stop();
  });
});
