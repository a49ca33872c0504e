import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ModelRepository } from './repository.ts';

/** Creates a repository of the given files; a path that ends in "/" is a folder. */
function repository(files: Record<string, string>): ModelRepository {
  const dir = mkdtempSync(join(tmpdir(), 'tandem-models-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, path.endsWith('/') ? '' : '..'), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(dir, path), text);
  }
  return ModelRepository.read(dir, 'm');
}

describe('ModelRepository', () => {
  it('finds only numbered versions', () => {
    const models = repository({
      'm/model.yaml': '',
      'm/2/': '',
      'm/10/': '',
      'm/draft/': '',
      'm/0/': '',
      'notes/': '',
    });
    expect(models.versions.map(({ name, version }) => [name, version])).toEqual([
      ['m', 2],
      ['m', 10],
    ]);
  });

  it('uses the name of the manifest, and the first folder if two have the same', () => {
    const models = repository({
      'a/model.yaml': 'name: real\nsteps: 3',
      'a/1/': '',
      'b/model.yaml': 'name: real\nsteps: 4',
      'b/1/': '',
    });
    expect(models.versions.map(({ name, version, steps }) => [name, version, steps])).toEqual([['real', 1, 3]]);
  });

  it('uses and lists all defaults for a model without a manifest', () => {
    const [version] = repository({ 'm/1/': '' }).versions;
    expect([version?.error, version?.steps]).toEqual(['', 16]);
    expect(version?.defaults).toEqual(expect.arrayContaining(['dt 0.001', 'steps 16', 'readout.from spike_count']));
  });

  it('prefers the manifest of a version to that of the model', () => {
    const models = repository({ 'm/model.yaml': 'steps: 3', 'm/1/': '', 'm/2/model.yaml': 'steps: 5' });
    expect(models.versions.map(({ steps }) => steps)).toEqual([3, 5]);
    expect(models.versions[0]?.defaults).not.toContain('steps 16');
  });

  it('lists an unloaded version but does not offer it', () => {
    const models = repository({ 'm/model.yaml': '', 'm/1/': '', 'm/2/.unloaded': '' });
    expect(models.versions.map(({ isUnloaded }) => isUnloaded)).toEqual([false, true]);
    expect(models.find('m', 0).map(({ version }) => version)).toEqual([1]);
    expect(models.find('m', 2)).toHaveLength(0);
  });

  it('updates the latest version on put and remove', () => {
    const models = repository({ 'm/model.yaml': '', 'm/1/': '' });
    const first = models.find('m', 0)[0]!;
    models.put({ ...first, version: 2 });
    expect(models.find('', 0).map(({ version }) => version)).toEqual([2, 1]);
    models.remove({ name: 'm', version: 2 });
    expect(models.find('', 0)).toEqual([first]);
  });

  it('offers the highest version first, and the default model without a name', () => {
    const models = repository({ 'm/model.yaml': '', 'm/2/': '', 'm/10/': '', 'n/model.yaml': '', 'n/1/': '' });
    expect(models.find('', 0).map(({ name, version }) => [name, version])).toEqual([
      ['m', 10],
      ['m', 2],
    ]);
    expect(models.find('m', 2)).toHaveLength(1);
    expect(models.find('nobody', 0)).toHaveLength(0);
  });

  it('reads labels from the manifest or from a file with one per line', () => {
    const models = repository({
      'listed/model.yaml': 'labels: [cat, dog]',
      'listed/1/': '',
      'filed/model.yaml': 'labels: names.txt',
      'filed/names.txt': 'cat\ndog\r\n\n',
      'filed/1/': '',
    });
    expect(models.versions.map(({ readout }) => readout.labels)).toEqual([
      ['cat', 'dog'],
      ['cat', 'dog'],
    ]);
  });

  it.each([
    ['a misspelt key', 'stepps: 3', /"stepps"/],
    ['a value of the wrong kind', 'dt: fast', /"dt"/],
    ['a label file outside its folder', 'labels: ../../secret.txt', /labels: .*is not a file beside it/],
    ['a missing label file', 'labels: gone.txt', /labels: .*gone\.txt/],
  ])('lists a model with %s and the error', (_name, manifest, message) => {
    const models = repository({ 'm/model.yaml': manifest, 'm/1/': '' });
    expect(models.versions[0]?.error).toMatch(message);
  });

  it('names a missing folder', () => {
    expect(() => ModelRepository.read('/no/such/folder', 'm')).toThrow('/no/such/folder');
  });
});

describe('ModelRepository.textModel', () => {
  const tokenizer = JSON.stringify({
    normalizer: { type: 'BertNormalizer' },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', unk_token: 'u', continuing_subword_prefix: '##', vocab: { u: 0, a: 1 } },
  });
  const text = (name: string): Record<string, string> => ({
    [`${name}/model.yaml`]: 'tokenizer: t.json',
    [`${name}/1/`]: '',
    [`${name}/t.json`]: tokenizer,
  });

  it('is the default model if it takes text', () => {
    expect(repository({ ...text('b'), ...text('m') }).textModel).toBe('m');
  });

  it('is otherwise the first model by name that takes text', () => {
    expect(repository({ 'm/model.yaml': '', 'm/1/': '', ...text('z'), ...text('b') }).textModel).toBe('b');
  });

  it('prefers the text model named after the default model', () => {
    expect(repository({ 'm/model.yaml': '', 'm/1/': '', ...text('m-text'), ...text('b') }).textModel).toBe('m-text');
  });

  it('is empty if no model takes text', () => {
    expect(repository({ 'm/model.yaml': '', 'm/1/': '' }).textModel).toBe('');
  });

  it.each([
    ['../t.json', /is not a file beside it/],
    ['none.json', /tokenizer: none\.json: /],
  ])('reports an error if its tokenizer is %s', (file, why) => {
    expect(repository({ 'm/model.yaml': `tokenizer: ${file}`, 'm/1/': '' }).versions[0]?.error).toMatch(why);
  });
});
