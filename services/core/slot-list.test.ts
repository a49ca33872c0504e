import { describe, expect, it } from '@jest/globals';
import { SlotList } from './slot-list.ts';

const item = (name: string): { name: string; slot: number } => ({ name, slot: -1 });

describe('a slot list', () => {
  it('holds what was added and not removed, whatever is removed first', () => {
    const list = new SlotList<ReturnType<typeof item>>();
    const items = ['a', 'b', 'c', 'd'].map(item);
    for (const each of items) list.add(each);

    list.remove(items[1]!);
    list.remove(items[3]!);

    expect(
      list
        .snapshot()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['a', 'c']);
    expect(list.size).toBe(2);
  });

  it('takes an item again that was removed', () => {
    const list = new SlotList<ReturnType<typeof item>>();
    const only = item('a');
    list.add(only);
    list.remove(only);
    expect(list.size).toBe(0);

    list.add(only);

    expect(list.snapshot()).toEqual([only]);
  });

  it('is not changed when an item is removed twice', () => {
    const list = new SlotList<ReturnType<typeof item>>();
    const [a, b] = [item('a'), item('b')];
    list.add(a);
    list.add(b);

    list.remove(a);
    list.remove(a);

    expect(list.snapshot()).toEqual([b]);
  });
});
