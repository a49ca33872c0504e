import { describe, expect, it } from '@jest/globals';
import { Budget, type BudgetLimits, type Reservation } from './budget.ts';

const PRICES = { promptUsdPerMillion: 1_000, completionUsdPerMillion: 2_000 };
const LIMITS: BudgetLimits = { windowMs: 1_000, tokens: 100, usd: 1, callerTokens: 60, callerUsd: 1 };
const use = (promptTokens: number, completionTokens = 0) => ({ promptTokens, completionTokens });

function budget(over: Partial<BudgetLimits> = {}): { budget: Budget; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  return { budget: new Budget({ ...LIMITS, ...over }, PRICES, () => clock.nowMs), clock };
}

function reserved(result: Reservation | string): Reservation {
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('Budget', () => {
  it('refuses a call that may exceed the tokens of its caller, and names the setting', () => {
    const { budget: spending } = budget();
    reserved(spending.reserve('ann', use(50, 10)));
    expect(spending.reserve('ann', use(1))).toBe(
      'the call could take caller ann above agents.budget.caller_tokens (60); counted anew in 1 s',
    );
  });

  it('refuses a call that may exceed the tokens of all callers', () => {
    const { budget: spending } = budget();
    reserved(spending.reserve('ann', use(60)));
    expect(spending.reserve('bob', use(41))).toMatch(/all callers above agents.budget.tokens \(100\)/);
    reserved(spending.reserve('bob', use(40)));
  });

  it.each([
    ['caller_usd', { callerUsd: 0.02, callerTokens: 1e6 }],
    ['usd', { usd: 0.02, callerTokens: 1e6 }],
  ])('refuses a call that may cost more than %s', (setting, over) => {
    const { budget: spending } = budget(over);
    reserved(spending.reserve('ann', use(10, 5)));
    expect(spending.reserve('ann', use(1))).toMatch(new RegExp(`agents.budget.${setting} `));
  });

  it('releases reserved tokens that were not used', () => {
    const { budget: spending } = budget();
    spending.settle(reserved(spending.reserve('ann', use(50, 10))), use(5, 1));
    expect(spending.used).toEqual(use(5, 1));
    reserved(spending.reserve('ann', use(54)));
  });

  it('charges the reserved tokens if the usage is unknown', () => {
    const { budget: spending } = budget();
    spending.settle(reserved(spending.reserve('ann', use(50, 10))), undefined);
    expect(spending.used).toEqual(use(50, 10));
  });

  it('charges usage above the reservation and refuses later calls', () => {
    const { budget: spending } = budget();
    spending.settle(reserved(spending.reserve('ann', use(10))), use(5_000));
    expect(spending.reserve('ann', use(1))).toMatch(/caller_tokens/);
    expect(spending.reserve('bob', use(1))).toMatch(/all callers/);
  });

  it('starts a new window with the open reservations', () => {
    const { budget: spending, clock } = budget();
    spending.settle(reserved(spending.reserve('ann', use(30))), use(30));
    const open = reserved(spending.reserve('ann', use(20)));
    clock.nowMs = 1_000;
    expect(spending.reserve('ann', use(41))).toMatch(/caller_tokens/);
    reserved(spending.reserve('ann', use(40)));
    spending.settle(open, use(20));
    expect(spending.used).toEqual(use(60));
  });

  it('applies new limits at once', () => {
    const { budget: spending } = budget();
    reserved(spending.reserve('ann', use(60)));
    spending.configure({ ...LIMITS, callerTokens: 80 });
    reserved(spending.reserve('ann', use(20)));
  });
});
