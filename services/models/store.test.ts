import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { ModelStore, checkModelName } from './store.ts';

let dir: string;
let store: ModelStore;
const files = { nir: Buffer.from('nir'), manifest: undefined, labels: '', golden: '' };
const nirOf = (version: number): string => readFileSync(join(dir, 'm', String(version), 'model.nir'), 'utf8');

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-store-'));
  store = new ModelStore(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('ModelStore', () => {
  it('shows a version only after the commit', async () => {
    const staged = await store.stage('m', 1, files);
    expect(existsSync(join(dir, 'm'))).toBe(false);
    expect(staged.folder).toMatchObject({ name: 'm', version: 1, error: '' });
    await staged.commit();
    await staged.finish();
    expect([nirOf(1), readdirSync(dir)]).toEqual(['nir', ['m']]);
  });

  it('leaves nothing of a version after a rollback', async () => {
    const staged = await store.stage('m', 1, files);
    await staged.rollback();
    const other = await store.stage('m', 1, files);
    await other.commit();
    await other.rollback();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('restores the replaced version on rollback', async () => {
    await (await store.stage('m', 1, files)).commit();
    const staged = await store.stage('m', 1, { ...files, nir: Buffer.from('other') });
    await staged.commit();
    expect(nirOf(1)).toBe('other');
    await staged.rollback();
    expect(nirOf(1)).toBe('nir');
  });

  it('restores a replaced version if the router stopped before the new one was in place', async () => {
    mkdirSync(join(dir, '.replaced/m/1'), { recursive: true });
    writeFileSync(join(dir, '.replaced/m/1/model.nir'), 'kept');
    mkdirSync(join(dir, 'm'));
    await store.recover();
    expect(nirOf(1)).toBe('kept');
    mkdirSync(join(dir, '.replaced/m/1'), { recursive: true });
    await store.recover();
    expect([nirOf(1), readdirSync(join(dir, '.replaced/m'))]).toEqual(['kept', []]);
  });

  it('stores labels under the name in the manifest and golden vectors with the version', async () => {
    const golden = '{"model_version": 1, "cases": []}';
    const staged = await store.stage('m', 4, { ...files, manifest: 'labels: names.txt', labels: 'a\nb\n', golden });
    const { versionPath } = await staged.commit();
    expect(readFileSync(join(versionPath, 'names.txt'), 'utf8')).toBe('a\nb\n');
    expect(JSON.parse(readFileSync(join(versionPath, 'golden.json'), 'utf8'))).toEqual({ model_version: 4, cases: [] });
  });

  it.each(['labels: ../names.txt', 'labels: .unloaded', 'steps: 4'])(
    'refuses labels if the manifest is "%s"',
    async (manifest) => {
      const staging = store.stage('m', 1, { ...files, manifest, labels: 'a' });
      await expect(staging).rejects.toMatchObject({ kind: 'MODEL_REFUSED' });
      expect(readdirSync(dir)).toEqual([]);
    },
  );

  it.each(['../x', '..', '', '.hidden', 'a/b', 'a\\b', 'a\0', 'x'.repeat(129), 'ü'])(
    'refuses a name that could be a path, such as %j',
    (name) => expect(() => checkModelName(name)).toThrow(RouterError),
  );
});
