import { describe, expect, it } from '@jest/globals';
import { DisputeList } from './dispute-list.ts';
import { Recent } from './recent.ts';

describe('Recent', () => {
  it('keeps a limited number of entries, newest first', () => {
    const recent = new Recent<number>(3);
    for (let n = 1; n <= 5; n += 1) recent.add(n);
    expect([recent.recent(10), recent.recent(2)]).toEqual([
      [5, 4, 3],
      [5, 4],
    ]);
  });
});

describe('DisputeList inputs', () => {
  const input = (bytes: number): Parameters<DisputeList['keepInput']>[1] => {
    return { model: 'toy', version: 1, shape: [bytes / 4], data: new Uint8Array(bytes) };
  };
  const kept = (list: DisputeList, ids: string): string =>
    Array.from(ids)
      .filter((id) => list.input(id) !== undefined)
      .join('');

  it('are limited in bytes, and the oldest are dropped first', () => {
    const list = new DisputeList(10, 100);
    for (const id of 'abcd') list.keepInput(id, input(40));
    expect(kept(list, 'abcd')).toBe('cd');
    list.keepInput('e', input(100));
    expect(kept(list, 'abcde')).toBe('e');
  });

  it('are limited in number', () => {
    const list = new DisputeList(2, 100);
    for (const id of 'abc') list.keepInput(id, input(4));
    expect(kept(list, 'abc')).toBe('bc');
  });

  it('are not dropped for an input that alone exceeds the limit', () => {
    const list = new DisputeList(10, 100);
    list.keepInput('a', input(40));
    list.keepInput('b', input(104));
    expect(kept(list, 'ab')).toBe('a');
  });
});
