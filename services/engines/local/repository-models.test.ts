import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../../../test/support/model-folder.ts';
import { matrix } from '../../../test/support/nir-writer.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { brokenModel } from './broken-model.ts';
import { LocalEngine } from './local-engine.ts';
import type { LoadRequest, LoadedModel } from './messages.ts';
import type { ModelLoader } from './model-loader.ts';
import { RepositoryModels } from './repository-models.ts';

const RUN = 'dt: 1\nsteps: 4';
/** 3 → 2 → 2 neurons → 4 weights → leaky readout: 2 of its nodes have weights, one spikes. */
const graph = chain(3, 2, {
  a: node('Linear', { weight: matrix([1, 2, 3], [4, 5, 6]) }),
  b: node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 }),
  c: node('Linear', { weight: matrix([1, 0], [0, 1]) }),
  d: node('LI', { tau: 2, r: 1, v_leak: 0 }),
});
const spiking = chain(2, 2, { lif: node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 }) });

let folder: ModelFolder;

beforeEach(() => {
  folder = new ModelFolder().add('m', 1, graph, RUN);
});

afterEach(() => folder.remove());

async function read(): Promise<RepositoryModels> {
  const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: false });
  await models.load();
  return models;
}

/** With a limit, reading the model `slow` times out. `loaded` has each requested model with its limit. */
function fakeLoader(slow?: string): { loader: Pick<ModelLoader, 'load' | 'close'>; loaded: string[] } {
  const loaded: string[] = [];
  const load = async (request: LoadRequest, timeoutMs?: number): Promise<LoadedModel> => {
    loaded.push(`${request.name} ${timeoutMs}`);
    const isLate = request.name === slow && timeoutMs !== undefined;
    return {
      model: brokenModel(request, isLate ? 'late' : 'read'),
      network: undefined,
      isReaderBroken: isLate,
      isLate,
    };
  };
  return { loader: { load, close: async () => undefined }, loaded };
}

describe('RepositoryModels', () => {
  it('pins each model with the values that answers are checked against', async () => {
    expect((await read()).find('m', 1)).toEqual({
      ...{ name: 'm', version: 1, modelId: expect.any(BigInt), inputSize: 3, outputSize: 2 },
      ...{ inputKind: 'constant', steps: 4, countsSpikes: false, spikesPerStep: 2, operationsPerStep: 3 * 2 + 2 * 2 },
      ...{ nodes: 6, parameters: expect.any(Number), error: '', layers: [{ node: 'b', neurons: 2 }] },
      ...{ spikesPerNeuron: 1, doubts: [expect.stringMatching(/^node "d": is the readout and a LI/)] },
    });
  });

  it('counts spikes if the readout is a neuron that spikes', async () => {
    folder.add('s', 1, spiking, RUN);
    const models = await read();
    expect([models.find('s', 1)?.countsSpikes, models.find('m', 1)?.countsSpikes]).toEqual([true, false]);
  });

  it('reads a model once for the router and the local engine', async () => {
    const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: true });
    const local = new LocalEngine({ id: 'local', modelsDir: '/nowhere', models, workers: 1 });
    const [loaded] = await Promise.all([models.load(), local.start()]);
    expect(local.description?.models).toEqual([models.find('m', 1)]);
    expect(loaded[0]?.network).toBeDefined();
    await local.stop();
  });

  it('keeps no networks if no local engine runs them', async () => {
    const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: false });
    expect((await models.load()).map(({ network }) => network)).toEqual([undefined]);
  });

  it('reports an error of the file or of the manifest', async () => {
    folder.add('damaged', 1, new Uint8Array(100), RUN).add('vague', 2, graph, 'reset: never');
    const models = await read();
    expect(models.find('damaged', 1)).toMatchObject({ modelId: 0n, error: expect.stringContaining('model.nir') });
    expect(models.find('vague', 2)).toMatchObject({ modelId: 0n, error: expect.stringContaining('reset') });
  });

  it('reports models one after the other as they are read', async () => {
    folder.add('n', 1, graph, RUN);
    const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: false });
    const known: boolean[][] = [];
    models.onChange(() => known.push(['m', 'n'].map((name) => models.find(name, 1) !== undefined)));
    await models.load();
    expect(known).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  it('reads the default model first, then smaller files first', async () => {
    folder.add('a-larger', 1, new Uint8Array(50_000), RUN).add('b-small', 1, new Uint8Array(100), RUN);
    const { loader, loaded } = fakeLoader();
    await new RepositoryModels({ modelsDir: folder.path, keepsNetworks: false, defaultModel: 'm' }, loader).load();
    expect(loaded).toEqual(['m 2000', 'b-small 2000', 'a-larger 2000']);
  });

  it('reads a slow model again after all others', async () => {
    folder.add('n', 1, graph, RUN);
    const { loader, loaded } = fakeLoader('m');
    const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: false, defaultModel: 'm' }, loader);
    const known: string[] = [];
    models.onChange(({ name, error }) => known.push(`${name} ${error}`));
    expect((await models.load()).map(({ model }) => model.name)).toEqual(['m', 'n']);
    expect([loaded, known]).toEqual([
      ['m 2000', 'n 2000', 'm undefined'],
      ['n read', 'm read'],
    ]);
  });

  it('reports a link to itself as an error', async () => {
    folder.add('loop', 1, graph, RUN);
    const file = join(folder.path, 'loop/1/model.nir');
    rmSync(file);
    symlinkSync('model.nir', file);
    expect((await read()).find('loop', 1)?.error).toContain('ELOOP');
  });

  it('stops reading after stop', async () => {
    const models = new RepositoryModels({ modelsDir: folder.path, keepsNetworks: false });
    const reading = models.load();
    await models.stop();
    expect([await reading, models.find('m', 1)]).toEqual([[], undefined]);
  });
});
