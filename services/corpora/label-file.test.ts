import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LabelFile } from './label-file.ts';

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-labels-'));
  path = join(dir, 'pets.labels');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('LabelFile', () => {
  it('stores labels with the model that gave them', () => {
    new LabelFile(path).add('m/1', [['a', 'animal']]);
    new LabelFile(path).add('m/1', [['b', '']]);
    const file = new LabelFile(path);
    expect([file.model, file.get('a'), file.get('b'), file.get('c')]).toEqual(['m/1', 'animal', '', undefined]);
  });

  it('drops the labels of another model', () => {
    const file = new LabelFile(path);
    file.add('m/1', [['a', 'animal']]);
    file.add('m/2', []);
    for (const each of [file, new LabelFile(path)]) expect([each.model, each.get('a')]).toEqual(['m/2', undefined]);
  });

  it('continues after an incomplete line', () => {
    new LabelFile(path).add('m/1', [['a', 'animal']]);
    appendFileSync(path, '["b","ani');
    const file = new LabelFile(path);
    expect(file.get('b')).toBeUndefined();
    file.add('m/1', [['b', 'plant']]);
    expect([new LabelFile(path).get('a'), new LabelFile(path).get('b')]).toEqual(['animal', 'plant']);
  });

  it.each(['', 'no JSON\n', '[1,2]\n{"a":1}\n', '\u0000\u0000'])('is empty if the file is damaged: %j', (content) => {
    writeFileSync(path, content);
    const file = new LabelFile(path);
    expect([file.model, file.get('a')]).toEqual(['', undefined]);
    file.add('m/1', [['a', 'x']]);
    expect(readFileSync(path, 'utf8')).toBe('["","m/1"]\n["a","x"]\n');
  });
});
