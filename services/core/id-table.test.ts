import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IdTable } from './id-table.ts';

describe('IdTable', () => {
  it('finds each item by its id until it is removed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 600 }), (steps) => {
        const table = new IdTable<{ n: number }>();
        const kept = new Map<number, { n: number }>();
        let lastId = 0;
        for (const [n, step] of steps.entries()) {
          const ids = [...kept.keys()];
          const removed = ids[step % (ids.length + 1)];
          if (step % 3 === 0 && removed !== undefined) {
            expect(table.remove(removed)).toBe(kept.get(removed));
            kept.delete(removed);
            expect([table.get(removed), table.remove(removed)]).toEqual([undefined, undefined]);
          } else {
            const item = { n };
            const id = table.add(item);
            expect(id).toBeGreaterThan(lastId);
            lastId = id;
            kept.set(id, item);
          }
        }
        expect(table.size).toBe(kept.size);
        expect(table.ids().sort((a, b) => a - b)).toEqual([...kept.keys()]);
        for (const [id, item] of kept) expect(table.get(id)).toBe(item);
      }),
    );
  });

  it('never reuses an id, even if one item stays', () => {
    const table = new IdTable<object>();
    const first = table.add({});
    const seen = new Set([first]);
    for (let n = 0; n < 1_000; n += 1) {
      const id = table.add({});
      expect(seen.has(id)).toBe(false);
      seen.add(id);
      table.remove(id);
    }
    expect([table.size, table.get(first)]).toEqual([1, {}]);
  });
});
