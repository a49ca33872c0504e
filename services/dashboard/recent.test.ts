import { describe, expect, it } from '@jest/globals';
import { DisputeList } from './dispute-list.ts';
import { Recent } from './recent.ts';

describe('the newest', () => {
  it('are so many at most, newest first', () => {
    const recent = new Recent<number>(3);
    for (let n = 1; n <= 5; n += 1) recent.add(n);
    expect([recent.recent(10), recent.recent(2)]).toEqual([
      [5, 4, 3],
      [5, 4],
    ]);
  });
});

describe('inputs of disputes', () => {
  const input = (bytes: number): Parameters<DisputeList['keepInput']>[1] => {
    return { model: 'toy', version: 1, shape: [bytes / 4], data: new Uint8Array(bytes) };
  };
  const kept = (list: DisputeList, ids: string): string =>
    Array.from(ids)
      .filter((id) => list.input(id) !== undefined)
      .join('');

  it('stay within a number of bytes; the oldest are dropped first', () => {
    const list = new DisputeList(10, 100);
    for (const id of 'abcd') list.keepInput(id, input(40));
    expect(kept(list, 'abcd')).toBe('cd');
    list.keepInput('e', input(100));
    expect(kept(list, 'abcde')).toBe('e');
  });

  it('are so many at most', () => {
    const list = new DisputeList(2, 100);
    for (const id of 'abc') list.keepInput(id, input(4));
    expect(kept(list, 'abc')).toBe('bc');
  });

  it('push out none where they alone are too much', () => {
    const list = new DisputeList(10, 100);
    list.keepInput('a', input(40));
    list.keepInput('b', input(104));
    expect(kept(list, 'ab')).toBe('a');
  });
});
