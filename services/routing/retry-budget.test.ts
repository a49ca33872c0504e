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
});
