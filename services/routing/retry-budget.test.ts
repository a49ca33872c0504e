import { describe, expect, it } from '@jest/globals';
import { RetryBudget } from './retry-budget.ts';

/** Returns how many of `wanted` retries it allows. */
function allowed(budget: RetryBudget, wanted: number): number {
  return Array.from({ length: wanted }, () => budget.withdraw()).filter(Boolean).length;
}

describe('RetryBudget', () => {
  it('allows as many retries as its capacity at the start', () => {
    expect(allowed(new RetryBudget(100, 20), 1_000)).toBe(100);
  });

  it('then allows its percentage of the requests', () => {
    const budget = new RetryBudget(100, 20);
    allowed(budget, 100);
    for (let n = 0; n < 400; n += 1) budget.deposit();
    expect(allowed(budget, 1_000)).toBe(80);
  });

  it('never holds more than its capacity', () => {
    const budget = new RetryBudget(100, 20);
    for (let n = 0; n < 10_000; n += 1) budget.deposit();
    expect(allowed(budget, 1_000)).toBe(100);
  });

  it('allows no retry at 0 percent', () => {
    const budget = new RetryBudget(100, 0);
    budget.deposit();
    expect(budget.withdraw()).toBe(false);
  });

  it('allows its last token, and no part of one', () => {
    const budget = new RetryBudget(1, 50);
    expect([budget.isEmpty, budget.withdraw(), budget.isEmpty, budget.withdraw()]).toEqual([false, true, true, false]);
    budget.deposit();
    expect([budget.isEmpty, budget.withdraw()]).toEqual([true, false]);
    budget.deposit();
    expect([budget.isEmpty, budget.withdraw()]).toEqual([false, true]);
  });

  it.each([
    [10, 5],
    [3, 1],
    [1, 0],
  ])('of %d is half full until %d are used', (capacity, used) => {
    const budget = new RetryBudget(capacity, 20);
    allowed(budget, used);
    expect(budget.isHalfFull).toBe(true);
    budget.withdraw();
    expect(budget.isHalfFull).toBe(false);
  });
});

describe('RetryBudget.configure', () => {
  it('keeps what is left, up to the new capacity', () => {
    const budget = new RetryBudget(100, 20);
    budget.configure(50, 20);
    expect(allowed(budget, 1_000)).toBe(50);
    budget.configure(200, 20);
    expect(allowed(budget, 1_000)).toBe(0);
  });

  it('sets the capacity and the percentage of later requests', () => {
    const budget = new RetryBudget(10, 20);
    budget.configure(30, 50);
    allowed(budget, 10);
    for (let n = 0; n < 4; n += 1) budget.deposit();
    expect(allowed(budget, 100)).toBe(2);
    for (let n = 0; n < 1_000; n += 1) budget.deposit();
    expect(allowed(budget, 100)).toBe(30);
  });

  it('allows no retry at 0 percent', () => {
    const budget = new RetryBudget(10, 20);
    budget.configure(10, 0);
    expect(budget.withdraw()).toBe(false);
  });

  it('allows no more than before at 1 percent', () => {
    const budget = new RetryBudget(10, 20);
    allowed(budget, 3);
    budget.configure(10, 1);
    expect(allowed(budget, 100)).toBe(7);
  });
});
