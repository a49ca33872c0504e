import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Ticker } from './ticker.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('members are called once a second with one timer, which stops without members', () => {
  const ticker = new Ticker();
  const counts = [0, 0];
  const members = counts.map((_, index) => ({ tick: () => (counts[index]! += 1) }));
  for (const member of members) ticker.add(member);
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(2_000);
  ticker.remove(members[0]!);
  jest.advanceTimersByTime(1_000);
  expect(counts).toEqual([2, 3]);
  ticker.remove(members[1]!);
  expect(jest.getTimerCount()).toBe(0);
});
