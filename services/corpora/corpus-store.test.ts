import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CorpusError } from './corpus-error.ts';
import { CorpusStore } from './corpus-store.ts';
import { MAX_CORPORA, MAX_DOCUMENT_BYTES, MAX_PASSAGES } from './limits.ts';
import { readDocuments } from './read-documents.ts';

let dir: string;
let store: CorpusStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-corpora-'));
  store = new CorpusStore(join(dir, 'corpora'));
});

function file(name: string, content: string | Buffer): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe('readDocuments', () => {
  it('reads the Markdown, text and JSONL files of a folder and its subfolders', () => {
    file('docs/b.md', '# B');
    file('docs/sub/a.txt', 'A');
    file('docs/lines.jsonl', '{"name": "named", "text": "one"}\n\n{"text": "two"}\n');
    file('docs/picture.png', 'no text');
    const documents = readDocuments(join(dir, 'docs'));
    expect(documents.map(({ name, text }) => [name, text])).toEqual([
      ['b.md', '# B'],
      ['lines.jsonl:3', 'two'],
      ['named', 'one'],
      ['sub/a.txt', 'A'],
    ]);
  });

  it('does not follow links in a folder', () => {
    const secret = file('secret.txt', 'a secret');
    file('docs/a.md', 'A');
    symlinkSync(secret, join(dir, 'docs/link.txt'));
    expect(readDocuments(join(dir, 'docs')).map(({ name }) => name)).toEqual(['a.md']);
  });

  it.each<[string, string, string | Buffer, RegExp]>([
    ['that are not UTF-8', 'a.txt', Buffer.from([0xff, 0xfe, 0x41]), /is not UTF-8/],
    ['that are too large', 'a.txt', 'a'.repeat(MAX_DOCUMENT_BYTES + 1), /larger than the limit/],
    ['with a line that is not JSON', 'a.jsonl', '{"text": "a"}\n{', /a\.jsonl:2 is not JSON/],
    ['with a line without text', 'a.jsonl', '{"name": "a"}', /a\.jsonl:1: "text"/],
  ])('refuses documents %s', (_, name, content, why) => {
    const path = file(name, content);
    expect(() => readDocuments(path)).toThrow(CorpusError);
    expect(() => readDocuments(path)).toThrow(why);
  });

  it('refuses an empty or missing folder', () => {
    mkdirSync(join(dir, 'empty'));
    expect(() => readDocuments(join(dir, 'empty'))).toThrow(/has no \.md/);
    expect(() => readDocuments(join(dir, 'missing'))).toThrow(/cannot read/);
  });
});

describe('CorpusStore', () => {
  it('has no corpora without a folder', () => {
    expect(store.names()).toEqual([]);
  });

  it('stores passages and returns their number', () => {
    expect(store.add('notes', [{ name: 'a', text: 'One.\n\nTwo.' }])).toMatchObject({ documents: 1, passages: 1 });
    expect(store.read('notes')).toEqual([{ document: 'a', text: 'One.\n\nTwo.' }]);
    expect(store.names()).toEqual(['notes']);
  });

  it('replaces a document of the same name and keeps the others', () => {
    store.add('notes', [
      { name: 'a', text: 'old' },
      { name: 'b', text: 'B' },
    ]);
    store.add('notes', [{ name: 'a', text: 'new' }]);
    expect(store.read('notes').map(({ text }) => text)).toEqual(['B', 'new']);
  });

  it('changes the stamp with each change', () => {
    store.add('notes', [{ name: 'a', text: 'one' }]);
    const before = store.stamp('notes');
    store.add('notes', [{ name: 'a', text: 'two' }]);
    expect(store.stamp('notes')).not.toBe(before);
  });

  it('removes a corpus', () => {
    store.add('notes', [{ name: 'a', text: 'one' }]);
    store.remove('notes');
    expect(store.names()).toEqual([]);
    expect(() => store.remove('notes')).toThrow(/there is no corpus "notes"; there are: none/);
  });

  it('leaves no temporary file', () => {
    store.add('notes', [{ name: 'a', text: 'one' }]);
    expect(readdirSync(join(dir, 'corpora'))).toEqual(['notes.jsonl']);
  });

  it.each(['', '../evil', 'a/b', '.hidden', 'a'.repeat(65)])('refuses the name %j', (name) => {
    expect(() => store.add(name, [{ name: 'a', text: 'one' }])).toThrow(/is no name for a corpus/);
    expect(() => store.read(name)).toThrow(/there is no corpus/);
  });

  it('refuses documents without text and more passages than the limit', () => {
    expect(() => store.add('notes', [{ name: 'a', text: ' \n' }])).toThrow(/have no text/);
    const text = `${'x'.repeat(999)}\n\n`.repeat(1_000);
    const many = Array.from({ length: MAX_PASSAGES / 1_000 + 1 }, (_, k) => ({ name: `${k}`, text }));
    expect(() => store.add('notes', many)).toThrow(/the limit is 50000/);
    expect(store.names()).toEqual([]);
  });

  it('limits the number of corpora', () => {
    for (let k = 0; k < MAX_CORPORA; k += 1) store.add(`c${k}`, [{ name: 'a', text: 'one' }]);
    expect(() => store.add('more', [{ name: 'a', text: 'one' }])).toThrow(/the limit; remove one/);
  });

  it('names the damaged line of a file', () => {
    file('corpora/notes.jsonl', '{"document": "a", "text": "one"}\n{"document": 1}\n');
    expect(() => store.read('notes')).toThrow(/line 2 is damaged/);
  });
});
