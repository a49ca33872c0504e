import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { emptyRequest } from './request-options.ts';
import { chooseInput, type InputOptions } from './text.ts';

const WHOLE = { fromUs: 0, toUs: Infinity };

const chosen = (
  argument?: string,
  options: Partial<InputOptions> = {},
): { text: string; shape: number[] | undefined } => {
  const { text, tensor } = chooseInput(argument, { ...WHOLE, ...options }).on(emptyRequest({}));
  return { text, shape: tensor?.shape };
};

describe('chooseInput', () => {
  it.each(['a small furry animal', 'dog', 'He said 3.5 and/or 4', 'A sentence.'])('reads %j as a text', (text) => {
    expect(chosen(text)).toEqual({ text, shape: undefined });
  });

  it('reads a file if one has that name', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tandem-text-')), 'two numbers');
    writeFileSync(file, '[1, 2]');
    expect(chosen(file)).toEqual({ text: '', shape: [2] });
  });

  it.each(['missing.json', './missing', 'folder/missing'])(
    'refuses a missing file instead of reading %j as a text',
    (name) => {
      expect(() => chosen(name)).toThrow(/cannot read/);
    },
  );

  it('reads --text as a text even if it looks like a file', () => {
    expect(chosen(undefined, { text: 'missing.json' }).text).toBe('missing.json');
  });

  it('reads a shipped sample', () => {
    expect(chosen(undefined, { sample: 'dog' }).shape).toEqual([768]);
  });

  it.each<[string | undefined, Partial<InputOptions>]>([
    [undefined, {}],
    ['dog', { sample: 'dog' }],
    [undefined, { sample: 'dog', text: 'dog' }],
  ])('refuses no input and more than one', (argument, options) => {
    expect(() => chosen(argument, options)).toThrow(/give one input/);
  });
});
