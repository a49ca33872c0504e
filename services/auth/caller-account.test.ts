import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CallerAccount, type CallerLimits, NO_LIMITS } from './caller-account.ts';
import { CallerAccounts, networkOf } from './caller-accounts.ts';

const of = (over: Partial<CallerLimits>): CallerAccount =>
  new CallerAccount('ann', { ...NO_LIMITS, ...over }, { calls: 0, refused: 0 });

describe('CallerAccount', () => {
  it('refuses nothing without limits', () => {
    const account = of({});
    for (let at = 0; at < 10_000; at += 1) expect(account.begin()).toBeUndefined();
    expect(() => account.enter(1_000_000, false)).not.toThrow();
    expect(account.hold(1e12)).toBe(true);
  });

  it('limits the open calls', () => {
    const account = of({ maxCalls: 2 });
    expect([account.begin(), account.begin()]).toEqual([undefined, undefined]);
    expect(account.begin()).toMatchObject({ kind: 'CALLER_LIMIT', retryAfterMs: 100 });
    account.ended();
    expect(account.begin()).toBeUndefined();
  });

  it('counts calls that end at once towards the rate', () => {
    const account = of({ perS: 10 });
    for (let at = 0; at < 10; at += 1) {
      expect(account.begin()).toBeUndefined();
      account.ended();
    }
    expect(account.begin()?.kind).toBe('CALLER_LIMIT');
  });

  it('counts every item of a batch, and a large batch delays later calls', () => {
    const account = of({ perS: 10 });
    expect(account.begin()).toBeUndefined();
    expect(() => account.enter(1_000, true)).toThrow('may send 10 requests a second');
    const rested = of({ perS: 10 });
    expect(() => rested.enter(1_000, false)).not.toThrow();
    const refusal = rested.begin();
    expect(refusal?.retryAfterMs).toBeGreaterThan(90_000);
    expect(refusal?.metadata).toEqual({ caller: 'ann', limit: 'callers.per_s' });
  });

  it('refuses a too large batch before it has arrived, without counting it', () => {
    const account = of({ perS: 100, maxItems: 50 });
    account.enter(40, false);
    expect(account.foresee(11)?.message).toContain('callers.max_items');
    expect(account.foresee(10)).toBeUndefined();
    account.left(40);
    expect(account.foresee(60)).toBeUndefined();
  });

  it('accepts one message of any number of items if it is alone', () => {
    const account = of({ maxItems: 5 });
    expect(() => account.enter(100, true)).not.toThrow();
    expect(() => account.enter(1, true)).toThrow('callers.max_items');
    account.left(100);
    expect(() => account.enter(1, true)).not.toThrow();
  });

  it('limits the bytes', () => {
    const account = of({ maxBytes: 100 });
    expect([account.hold(100), account.hold(1), account.hold(-101), account.hold(100)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});

describe('a CallerAccount with many refused calls', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const restMs = ({ restsUntilMs }: CallerAccount): number => Math.max(0, restsUntilMs - performance.now());

  it('is not paused for a few refusals', () => {
    const account = of({});
    for (let at = 0; at < 250; at += 1) account.unpaid();
    expect(restMs(account)).toBe(0);
  });

  it('is paused 1 ms for each further refusal', () => {
    const account = of({});
    for (let at = 0; at < 300; at += 1) account.unpaid();
    expect(restMs(account)).toBeCloseTo(50);
    jest.advanceTimersByTime(50);
    expect(restMs(account)).toBe(0);
    account.unpaid();
    expect(restMs(account)).toBeCloseTo(1);
  });

  it('is paused for the data of refused calls', () => {
    const account = of({});
    account.discarded(300 * 65_536);
    expect(restMs(account)).toBeCloseTo(50);
  });

  it.each([
    ['a batch above the item limit', (account: CallerAccount) => void account.foresee(9)],
    ['an item above the limit', (account: CallerAccount) => expect(() => account.enter(9, true)).toThrow()],
    ['too many bytes', (account: CallerAccount) => void account.tooManyBytes()],
  ])('is paused for %s', (_what, refuse) => {
    const account = of({ maxItems: 5 });
    account.enter(5, true);
    for (let at = 0; at < 251; at += 1) refuse(account);
    expect(restMs(account)).toBeCloseTo(1);
  });
});

describe('CallerAccount.whenAllowed', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** The names in the order in which they ran. */
  function waiting(account: CallerAccount, ...names: string[]): { went: string[]; runs: (() => void)[] } {
    const went: string[] = [];
    const runs = names.map((name) => () => void went.push(name));
    for (const run of runs) account.whenAllowed(run);
    return { went, runs };
  }

  it('runs requests at once within the rate', () => {
    expect(waiting(of({ perS: 10 }), 'a', 'b').went).toEqual(['a', 'b']);
    expect(waiting(of({}), 'a', 'b').went).toEqual(['a', 'b']);
  });

  it('delays requests above the rate and runs them in order', () => {
    const { went } = waiting(of({ perS: 2 }), 'a', 'b', 'c', 'd');
    expect(went).toEqual(['a', 'b']);
    jest.advanceTimersByTime(499);
    expect(went).toEqual(['a', 'b']);
    jest.advanceTimersByTime(1);
    expect(went).toEqual(['a', 'b', 'c']);
    jest.advanceTimersByTime(500);
    expect(went).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not count a request that was given up', () => {
    const account = of({ perS: 1 });
    const { went, runs } = waiting(account, 'a', 'b', 'c');
    account.giveUp(runs[1]!);
    jest.advanceTimersByTime(1_000);
    expect(went).toEqual(['a', 'c']);
  });

  it('runs waiting requests when the limit is removed', () => {
    const account = of({ perS: 1 });
    const { went } = waiting(account, 'a', 'b', 'c');
    account.configure(NO_LIMITS);
    jest.advanceTimersByTime(1_000);
    expect(went).toEqual(['a', 'b', 'c']);
  });
});

describe('CallerAccounts', () => {
  it('has one account per name, or per address without a name', () => {
    const accounts = new CallerAccounts(NO_LIMITS);
    expect(accounts.of('ann', '10.0.0.1')).toBe(accounts.of('ann', '10.0.0.2'));
    expect(accounts.of(undefined, '10.0.0.1')).not.toBe(accounts.of(undefined, '10.0.0.2'));
    expect(accounts.of(undefined, '2001:db8::1')).toBe(accounts.of(undefined, '2001:db8::2'));
  });

  it('counts 100 names separately and the others together', () => {
    const accounts = new CallerAccounts(NO_LIMITS);
    for (let at = 0; at < 300; at += 1) accounts.of(`caller-${at}`, '').begin();
    for (let at = 0; at < 50; at += 1) accounts.of(undefined, `10.0.0.${at}`).begin();
    expect(accounts.counts.size).toBe(101);
    expect(accounts.counts.get('others')).toEqual({ calls: 250, refused: 0 });
  });

  it('applies new limits at once', () => {
    const accounts = new CallerAccounts(NO_LIMITS);
    const account = accounts.of('ann', '');
    accounts.configure({ ...NO_LIMITS, maxCalls: 1 });
    expect([account.begin(), account.begin()?.kind]).toEqual([undefined, 'CALLER_LIMIT']);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', 'local'],
  ])('maps the address %s to %s', (address, network) => expect(networkOf(address)).toBe(network));
});
