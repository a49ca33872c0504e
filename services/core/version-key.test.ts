import { expect, it } from '@jest/globals';
import { versionKey } from './version-key.ts';

it('versionKey is the name and the version', () => {
  expect([versionKey('digits', 1), versionKey('digits', 12), versionKey('speech', 1)]).toEqual([
    'digits/1',
    'digits/12',
    'speech/1',
  ]);
  expect(versionKey('digits', 12)).toBe('digits/12');
});

it('versionKey is right for more keys than are kept', () => {
  const names = Array.from({ length: 5_000 }, (_, k) => `model-${k}`);
  for (const name of names) expect(versionKey(name, 3)).toBe(`${name}/3`);
  for (const name of [names[0]!, names.at(-1)!]) expect(versionKey(name, 3)).toBe(`${name}/3`);
});
