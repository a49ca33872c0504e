// Traces of the local engine; tracer.test.ts tests their content.
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../../../test/support/model-folder.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { RouterError } from '../../core/errors.ts';
import type { CallContext, InferenceInput } from '../../core/inference.ts';
import type { TracePlace } from '../engine.ts';
import { LocalEngine } from './local-engine.ts';

const LONG_RUN = 'dt: 1\nsteps: 100000';
const lif = node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 });
const width = 500;
const dense = node('Linear', { weight: { shape: [width, width], values: Array(width * width).fill(1e-3) } });
const folder = new ModelFolder()
  .add('small', 1, chain(3, 3, { lif }), 'dt: 1\nsteps: 4')
  // Takes many seconds.
  .add('endless', 1, chain(width, width, { lif, dense }), LONG_RUN)
  .add('deep', 1, chain(1, 1, Object.fromEntries('abcdefghi'.split('').map((name) => [name, lif]))), LONG_RUN);

let engine: LocalEngine;

beforeEach(async () => {
  engine = new LocalEngine({ id: 'local', modelsDir: folder.path, workers: 1 });
  await engine.start();
});

afterEach(() => engine.stop());
afterAll(() => folder.remove());

function input(model: string, values: readonly number[]): InferenceInput {
  return { model, version: 1, shape: [values.length], data: new Uint8Array(Float32Array.from(values).buffer) };
}

function context(over: Partial<CallContext> = {}): CallContext {
  return { deadlineMs: Infinity, signal: new AbortController().signal, ...over };
}

async function refusal(trace: Promise<unknown>): Promise<unknown[]> {
  const error = await trace.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof RouterError ? [error.kind, error.metadata, error.violation?.field] : [error];
}

const one = input('small', [3, 0, 1]);
const long = input('endless', Array<number>(width).fill(3));

describe('LocalEngine.trace', () => {
  it('returns a digest for each step and node', async () => {
    const { nodes, digests } = await engine.trace(one, undefined, context());
    expect([nodes, digests.length]).toEqual([['input', 'lif', 'output'], 4 * 3]);
  });

  it('returns the values of one node and step, even for an unaligned input', async () => {
    const larger = Buffer.alloc(100); // like a message that is part of a larger buffer
    larger.set(one.data, 5);
    const unaligned = { ...one, data: larger.subarray(5, 17) };
    const { digests, output } = await engine.trace(unaligned, { step: 0, node: 'input' }, context());
    expect([digests.length, output]).toEqual([0, one.data]);
  });

  it.each<[string, InferenceInput, TracePlace | undefined, unknown[]]>([
    ['a wrong input', input('small', [1, 1]), undefined, ['INPUT_LENGTH', { field: 'shape' }, 'shape']],
    ['a NaN', input('small', [1, NaN, 1]), undefined, ['INPUT_NOT_FINITE', { field: 'data', index: '1' }, 'data']],
    ['a missing step', one, { step: 4, node: 'lif' }, ['TRACE_STEP', { steps: '4' }, undefined]],
    ['a missing node', one, { step: 0, node: 'no' }, ['TRACE_NODE', { node: 'no' }, undefined]],
    [
      'too many digests',
      input('deep', [1]),
      undefined,
      ['TRACE_TOO_LARGE', { digests: '1100000', max_digests: '1000000' }, undefined],
    ],
  ])('is refused for %s', async (_, bad, place, expected) => {
    expect(await refusal(engine.trace(bad, place, context()))).toEqual(expected);
  });

  it('traces one node of a run that is too long for a whole trace', async () => {
    const { output } = await engine.trace(input('deep', [1]), { step: 99_999, node: 'input' }, context());
    expect(output).toEqual(input('deep', [1]).data);
  });

  it('delays no requests, and ends if the caller leaves', async () => {
    const caller = new AbortController();
    const traced = refusal(engine.trace(long, undefined, context({ signal: caller.signal })));
    expect((await engine.infer(one, context({ deadlineMs: performance.now() + 5_000 }))).steps).toBe(4);
    caller.abort();
    expect((await traced)[0]).toBe('CANCELLED');
  });

  it('ends at its deadline, and the next trace runs', async () => {
    const traced = refusal(engine.trace(long, undefined, context({ deadlineMs: performance.now() + 30 })));
    const next = engine.trace(one, undefined, context());
    expect((await traced)[0]).toBe('DEADLINE_EXCEEDED');
    expect((await next).ended).toBe('');
  });

  it('is not started for a caller that has left', async () => {
    expect((await refusal(engine.trace(long, undefined, context({ signal: AbortSignal.abort() }))))[0]).toBe(
      'CANCELLED',
    );
  });

  it('ends if the engine stops', async () => {
    const traced = refusal(engine.trace(long, undefined, context()));
    await engine.stop();
    expect((await traced)[0]).toBe('DRAINING');
    expect((await refusal(engine.trace(one, undefined, context())))[0]).toBe('DRAINING');
  });
});
