// Models that the router loads into the local engine while it runs, and takes from it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { RouterError } from '../../core/errors.ts';
import { LocalEngine } from './local-engine.ts';
import type { LoadedModel } from './messages.ts';
import { pinOf } from './pin.ts';
import type { RepositoryModels } from './repository-models.ts';

const context = { deadlineMs: Infinity, signal: new AbortController().signal };
const MANIFEST = 'dt: 1\nsteps: 2\nreadout: {from: last_potential}';

function modelOf(name: string, version: number, factor: number): LoadedModel {
  const network = compileGraph(chain(1, 1, { s: node('Scale', { scale: factor }) }), MANIFEST);
  return { model: pinOf({ name, version }, network), network, isReaderBroken: false };
}

const read = new Map<string, LoadedModel>();
const put = (loaded: LoadedModel): LoadedModel => {
  const { name, version } = loaded.model;
  read.set(`${name}/${version}`, loaded);
  return loaded;
};
const first = put(modelOf('b', 2, 20));
const repository = {
  load: () => Promise.resolve([first]),
  loaded: (name: string, version: number) => read.get(`${name}/${version}`),
} as Partial<RepositoryModels> as RepositoryModels;

let engine: LocalEngine;
let changes = 0;
beforeAll(async () => {
  engine = new LocalEngine({ id: 'local', modelsDir: '/nowhere', models: repository, workers: 2, maxInFlight: 9 });
  engine.onChange(() => (changes += 1));
  await engine.start();
});
afterAll(() => engine.stop());

const load = ({ model: { name, version, modelId } }: LoadedModel): Promise<void> => {
  return engine.loadModel({ heldAs: name, name, version, modelId } as Parameters<LocalEngine['loadModel']>[0]);
};
const listed = (): string[] => engine.description!.models.map(({ name, version }) => `${name}/${version}`);

/** What the model makes of 1; or why it does not. */
async function answerOf(name: string, version: number): Promise<unknown> {
  const data = new Uint8Array(Float32Array.of(1).buffer);
  try {
    const { potentials } = await engine.infer({ model: name, version, shape: [1], data }, context);
    return new Float32Array(potentials.slice().buffer)[0];
  } catch (error) {
    return RouterError.from(error).kind;
  }
}

describe('the models of a local engine', () => {
  it('are those of the repository at its start', async () => {
    expect([listed(), await answerOf('b', 2)]).toEqual([['b/2'], 20]);
    expect(engine.description).toMatchObject({ maxInFlight: 9, maxMessageBytes: Infinity, sessionStates: true });
    expect(engine.description!.instanceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('are added in the order of their names and versions', async () => {
    const before = changes;
    for (const [name, version] of [
      ['c', 1],
      ['b', 10],
      ['a', 1],
      ['b', 1],
    ] as const)
      await load(put(modelOf(name, version, 10 * version)));
    expect([listed(), changes - before]).toEqual([['a/1', 'b/1', 'b/2', 'b/10', 'c/1'], 4]);
    expect([await answerOf('b', 10), await answerOf('b', 0), await answerOf('b', 1)]).toEqual([100, 100, 10]);
  });

  it('are replaced for the inputs that come later', async () => {
    await load(put(modelOf('c', 1, 7)));
    // Both threads have it.
    expect(await Promise.all([1, 2, 3, 4].map(() => answerOf('c', 1)))).toEqual([7, 7, 7, 7]);
    expect(listed().filter((each) => each === 'c/1')).toHaveLength(1);
  });

  it('are refused if the router has not read them, or others', async () => {
    await expect(load(modelOf('unread', 1, 1))).rejects.toMatchObject({ kind: 'MODEL_DIFFERS' });
    await expect(load(modelOf('a', 1, 99))).rejects.toMatchObject({ kind: 'MODEL_DIFFERS' });
    put({ ...modelOf('broken', 1, 1), network: undefined });
    await expect(load(read.get('broken/1')!)).rejects.toMatchObject({ kind: 'MODEL_DIFFERS' });
    expect(await answerOf('a', 1)).toBe(10);
  });

  it('are removed after the inputs that wait for them, and may come back', async () => {
    const before = changes;
    const waiting = answerOf('c', 1);
    await engine.unloadModel('c', 1);
    expect([await waiting, await answerOf('c', 1), changes - before]).toEqual([7, 'UNKNOWN_MODEL', 1]);
    const again = answerOf('a', 1);
    await engine.unloadModel('a', 1);
    await load(read.get('a/1')!);
    expect([await again, await answerOf('a', 1), listed().includes('a/1')]).toEqual([10, 10, true]);
  });

  it('are not known by half their names', async () => {
    expect([await answerOf('b', 3), await answerOf('', 2)]).toEqual(['UNKNOWN_MODEL', 'UNKNOWN_MODEL']);
  });
});
