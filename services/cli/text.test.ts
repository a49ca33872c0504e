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

describe('the input of a command', () => {
  it.each(['a small furry animal', 'dog', 'He said 3.5 and/or 4', 'A sentence.'])('is %j as a text', (text) => {
    expect(chosen(text)).toEqual({ text, shape: undefined });
  });

  it('is the file of that name, where there is one', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tandem-text-')), 'two numbers');
    writeFileSync(file, '[1, 2]');
    expect(chosen(file)).toEqual({ text: '', shape: [2] });
  });

  it.each(['missing.json', './missing', 'folder/missing'])('is no text, where it is %j', (name) => {
    expect(() => chosen(name)).toThrow(/cannot read/);
  });

  it('is what --text says, whatever it looks like', () => {
    expect(chosen(undefined, { text: 'missing.json' }).text).toBe('missing.json');
  });

  it('is a shipped sample', () => {
    expect(chosen(undefined, { sample: 'dog' }).shape).toEqual([768]);
  });

  it.each<[string | undefined, Partial<InputOptions>]>([
    [undefined, {}],
    ['dog', { sample: 'dog' }],
    [undefined, { sample: 'dog', text: 'dog' }],
  ])('is an error where there is none or more than one', (argument, options) => {
    expect(() => chosen(argument, options)).toThrow(/give one input/);
  });
});
