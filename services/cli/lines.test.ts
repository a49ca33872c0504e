import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LineSource } from './lines.ts';

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'tandem-lines-')), 'input.jsonl');
  writeFileSync(file, text);
  return file;
}

async function linesOf(text: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { number, text: line } of new LineSource(fileWith(text))) lines.push(`${number}:${line}`);
  return lines;
}

describe('LineSource', () => {
  it.each([
    ['none', '', []],
    ['with an end', 'a\nb\n', ['1:a', '2:b']],
    ['without an end', 'a\nb', ['1:a', '2:b']],
    ['blank ones', '\na\n\n', ['1:', '2:a', '3:']],
  ])('numbers lines: %s', async (_, text, lines) => {
    expect(await linesOf(text)).toEqual(lines);
  });

  it('reads lines longer than a chunk without splitting a character', async () => {
    const long = '€'.repeat(100_001);
    expect(await linesOf(`x\n${long}\n${long}`)).toEqual(['1:x', `2:${long}`, `3:${long}`]);
  });

  it('reports how many bytes it has read', async () => {
    const source = new LineSource(fileWith('€€\nb\nc'));
    const shares: number[] = [];
    for await (const _ of source) shares.push(source.bytesTaken);
    expect([shares, source.totalBytes]).toEqual([[7, 9, 10], 10]);
  });

  it('stops after stop()', async () => {
    const source = new LineSource(fileWith('a\nb\nc\n'));
    const lines: string[] = [];
    for await (const { text } of source) {
      lines.push(text);
      source.stop();
    }
    expect(lines).toEqual(['a']);
  });

  it('throws if the file is missing', () => {
    expect(() => new LineSource('/no/such/file')).toThrow(/cannot read "\/no\/such\/file"/);
  });
});
