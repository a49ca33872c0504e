// The refusals and the largest answer of a trace: equal for the local engine and a real sidecar.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RouterError } from '../../services/core/errors.ts';
import type { InferenceInput } from '../../services/core/inference.ts';
import { type Engine, MAX_TRACE_DIGESTS, type TracePlace } from '../../services/engines/engine.ts';
import { LocalEngine } from '../../services/engines/local/local-engine.ts';
import { SidecarEngine } from '../../services/engines/sidecar/sidecar-engine.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { chain, node } from '../support/run-network.ts';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';

const STEPS = 100_000;
const lif = node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 });

/** In addition to its input and its output. */
function nodes(names: string): Record<string, typeof lif> {
  return Object.fromEntries(Array.from(names, (name) => [name, lif]));
}

const folder = new ModelFolder()
  .add('short', 1, chain(1, 1, nodes('a')), 'dt: 1\nsteps: 4')
  .add('ten', 1, chain(1, 1, nodes('abcdefgh')), `dt: 1\nsteps: ${STEPS}`)
  .add('eleven', 1, chain(1, 1, nodes('abcdefghi')), `dt: 1\nsteps: ${STEPS}`);

const local = new LocalEngine({ id: 'local', modelsDir: folder.path, workers: 1 });
let process: RunningSidecar;
let sidecar: SidecarEngine;

beforeAll(async () => {
  process = await startSidecar(folder.path);
  sidecar = new SidecarEngine('engine-1', process.address);
  await Promise.all([local.start(), sidecar.start()]);
});

afterAll(async () => {
  await Promise.all([local.stop(), sidecar.stop()]);
  await process.stop();
  folder.remove();
});

const context = { deadlineMs: Infinity, signal: new AbortController().signal };

function input(model: string): InferenceInput {
  return { model, version: 1, shape: [1], data: Buffer.from(Float32Array.of(3).buffer) };
}

async function refusalOf(engine: Engine, model: string, place: TracePlace | undefined) {
  const error = await engine.trace(input(model), place, context).catch((thrown: unknown) => RouterError.from(thrown));
  if (!(error instanceof RouterError)) throw new Error('it was traced');
  return { kind: error.kind, message: error.message, metadata: error.metadata };
}

describe('a trace on either engine', () => {
  it.each<[string, string, TracePlace | undefined, object]>([
    ['of a step beyond the run', 'short', { step: 4, node: 'a' }, { kind: 'TRACE_STEP' }],
    ['of an unknown node', 'short', { step: 3, node: 'b' }, { kind: 'TRACE_NODE' }],
    ['of a nameless node', 'short', { step: 3, node: '' }, { kind: 'TRACE_NODE' }],
    ['of a node with a very long name', 'short', { step: 3, node: 'é'.repeat(1_000) }, { kind: 'TRACE_NODE' }],
    ['of a name with control characters', 'short', { step: 3, node: 'a\n\u001b[0m' }, { kind: 'TRACE_NODE' }],
    ['of more than the limit', 'eleven', undefined, { kind: 'TRACE_TOO_LARGE' }],
  ])('%s is refused, with the same text', async (_, model, place, expected) => {
    const refusal = await refusalOf(local, model, place);
    expect(refusal).toMatchObject(expected);
    expect(await refusalOf(sidecar, model, place)).toEqual(refusal);
  });

  it('of the largest size arrives: 8 MB of digests, twice gRPC’s default limit', async () => {
    const traces = await Promise.all([local, sidecar].map((engine) => engine.trace(input('ten'), undefined, context)));
    const [mine, theirs] = traces.map(({ digests }) =>
      Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength),
    );
    expect(mine!.length).toBe(8 * MAX_TRACE_DIGESTS);
    expect(mine!.equals(theirs!)).toBe(true);
  });
});
