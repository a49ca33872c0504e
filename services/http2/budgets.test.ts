import { expect, test } from '@jest/globals';
import { Budget } from './budgets.ts';

function spend(budget: Budget, times: number): void {
  for (let time = 0; time < times; time++) budget.spend();
}

test('a burst is allowed up to its limit', () => {
  const budget = new Budget('resets', { burst: 3, perSecond: 1 });
  spend(budget, 3);
  expect(() => spend(budget, 1)).toThrow('too many resets: at most 3 at once and 1 a second are allowed');
});

test('the rate per second is allowed without end', () => {
  const budget = new Budget('resets', { burst: 5_000, perSecond: 500 });
  for (let second = 0; second < 1_000; second++) {
    spend(budget, 500);
    budget.refill(1);
  }
  expect(() => spend(budget, 5_001)).toThrow('too many resets');
});

test('earned tokens never exceed the burst', () => {
  const budget = new Budget('pings', { burst: 2, perSecond: 1 });
  budget.earn(100);
  spend(budget, 2);
  expect(() => spend(budget, 1)).toThrow();
});

test('tokens of a pause of the process are added to the burst', () => {
  const budget = new Budget('resets', { burst: 5_000, perSecond: 500 });
  budget.refill(41);
  spend(budget, 25_000);
  expect(() => spend(budget, 1)).toThrow('too many resets');
});
