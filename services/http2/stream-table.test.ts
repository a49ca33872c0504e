import { expect, test } from '@jest/globals';
import { Http2Stream } from './stream.ts';
import { StreamTable } from './stream-table.ts';

const stream = (id: number): Http2Stream => Object.assign(Object.create(Http2Stream.prototype) as Http2Stream, { id });

test('StreamTable behaves like a Map for every order of ids', () => {
  const table = new StreamTable();
  const model = new Map<number, Http2Stream>();
  let seed = 1;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  let next = 1;
  for (let round = 0; round < 5_000; round++) {
    if (random(2) === 0 && model.size < 200) {
      // Some ids use the same slot.
      next += random(10) === 0 ? 64 : 2;
      const added = stream(next);
      table.add(added);
      model.set(next, added);
    } else {
      const id = [...model.keys()][random(model.size)] ?? 1;
      table.delete(id);
      model.delete(id);
    }
    const id = 1 + 2 * random(next);
    expect(table.get(id)).toBe(model.get(id));
  }
  expect(table.size).toBe(model.size);
  expect(new Set(table.all())).toEqual(new Set(model.values()));
});

test('deleting a missing id changes nothing', () => {
  const table = new StreamTable();
  table.add(stream(1));
  table.delete(33);
  expect([table.size, table.get(1)?.id]).toEqual([1, 1]);
});
