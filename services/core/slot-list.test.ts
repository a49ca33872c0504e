import { describe, expect, it } from '@jest/globals';
import { SlotList } from './slot-list.ts';

const item = (name: string): { name: string; slot: number } => ({ name, slot: -1 });

describe('SlotList', () => {
  it('holds the items that were added and not removed', () => {
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

  it('accepts an item again after its removal', () => {
    const list = new SlotList<ReturnType<typeof item>>();
    const only = item('a');
    list.add(only);
    list.remove(only);
    expect(list.size).toBe(0);

    list.add(only);

    expect(list.snapshot()).toEqual([only]);
  });

  it('does not change if an item is removed twice', () => {
    const list = new SlotList<ReturnType<typeof item>>();
    const [a, b] = [item('a'), item('b')];
    list.add(a);
    list.add(b);

    list.remove(a);
    list.remove(a);

    expect(list.snapshot()).toEqual([b]);
  });
});
