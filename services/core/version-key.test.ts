import { expect, it } from '@jest/globals';
import { settledHeapBytes } from '../../test/support/heap.ts';
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

it('versionKey does not keep a name that is too long for a model', async () => {
  const before = await settledHeapBytes();
  for (let k = 0; k < 100; k += 1) versionKey(Buffer.alloc(1_000_000, `${k} `).toString('latin1'), 1);
  expect((await settledHeapBytes()) - before).toBeLessThan(20_000_000);
  expect(versionKey('a'.repeat(129), 2)).toBe(`${'a'.repeat(129)}/2`);
});
