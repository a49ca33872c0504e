import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../../../test/support/model-folder.ts';
import { matrix, writeNir } from '../../../test/support/nir-writer.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { parseManifest } from '../../config/manifest.ts';
import { MAX_FILE_BYTES } from './limits.ts';
import type { KnownRun, LoadRequest, LoadedModel } from './messages.ts';
import { ModelError } from './model-error.ts';
import { loadModel } from './model-repository.ts';

const folder = new ModelFolder();
afterAll(() => folder.remove());

const file = writeNir(chain(2, 1, { n: node('Linear', { weight: matrix([1, 2]) }) }));
const MANIFEST = 'dt: 1\nsteps: 1\nreadout: {from: last_potential}';

function load(path: string, more: Partial<LoadRequest> = {}): LoadedModel {
  return loadModel({ name: 'm', version: 3, path, manifest: parseManifest(MANIFEST), wantsNetwork: true, ...more });
}

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder.path, name);
  writeFileSync(path, bytes);
  return path;
}

const good = written('good.nir', file);
const wrong: KnownRun = {
  ...{ name: 'dog', data: new Uint8Array(8), shape: undefined },
  ...{ stateDigest: 1n, readoutDigest: undefined },
};

describe('loadModel', () => {
  it('returns the network only if it is wanted', () => {
    const loaded = load(good);
    expect(loaded).toMatchObject({
      ...{ model: { name: 'm', version: 3, inputSize: 2, outputSize: 1, error: '', doubts: [] } },
      ...{ isReaderBroken: false, network: { modelId: loaded.model.modelId } },
    });
    expect(load(good, { wantsNetwork: false })).toMatchObject({ model: loaded.model, network: undefined });
  });

  it('has the doubts about a model', () => {
    expect(load(good, { manifest: parseManifest('dt: 1\nsteps: 1') }).model.doubts).toEqual([
      expect.stringMatching(/^node "n": is the readout and a Linear/),
    ]);
  });

  it.each<[string, () => string, string]>([
    ['a missing file', () => join(folder.path, 'none.nir'), 'model.nir: there is no such file'],
    [
      'a folder',
      () => {
        mkdirSync(join(folder.path, 'folder'));
        return join(folder.path, 'folder');
      },
      'model.nir: is not a regular file',
    ],
    [
      'a file that is too large',
      () => {
        const path = written('large.nir', file);
        truncateSync(path, MAX_FILE_BYTES + 1);
        return path;
      },
      'model.nir: is larger than the limit of 268435456 bytes',
    ],
    ['a damaged file', () => written('bad.nir', Buffer.from('bad')), 'model.nir: is not an HDF5 file, or is truncated'],
  ])('describes %s by its error', (_, path, message) => {
    expect(load(path())).toEqual({
      model: expect.objectContaining({ name: 'm', version: 3, modelId: 0n, error: message }),
      ...{ network: undefined, isReaderBroken: false },
    });
  });

  it('refuses a model that does not give its golden vectors', () => {
    const { model, network } = load(good, { known: [wrong] });
    expect([model.error, network]).toEqual([expect.stringMatching(/^golden vector "dog" \(1 of 1\)/), undefined]);
  });
});

describe('ModelError', () => {
  it('names the node and the field', () => {
    expect(ModelError.field('a/b', 'tau', 'is wrong').message).toBe('node "a/b": field "tau": is wrong');
    expect(ModelError.field('', 'edges', 'is wrong').message).toBe('the root graph: field "edges": is wrong');
  });

  it('is fatal if it has a cause', () => {
    expect([ModelError.file('is wrong').isFatal, ModelError.fatal(new Error('trap')).isFatal]).toEqual([false, true]);
  });
});
