import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CallerAccount, type CallerLimits, NO_LIMITS } from './caller-account.ts';
import { CallerAccounts, networkOf } from './caller-accounts.ts';

const of = (over: Partial<CallerLimits>): CallerAccount =>
  new CallerAccount('ann', { ...NO_LIMITS, ...over }, { calls: 0, refused: 0 });

describe('the account of a caller', () => {
  it('without limits refuses nothing', () => {
    const account = of({});
    for (let at = 0; at < 10_000; at += 1) expect(account.begin()).toBeUndefined();
    expect(() => account.enter(1_000_000, false)).not.toThrow();
    expect(account.hold(1e12)).toBe(true);
  });

  it('has so many calls open', () => {
    const account = of({ maxCalls: 2 });
    expect([account.begin(), account.begin()]).toEqual([undefined, undefined]);
    expect(account.begin()).toMatchObject({ kind: 'CALLER_LIMIT', retryAfterMs: 100 });
    account.ended();
    expect(account.begin()).toBeUndefined();
  });

  it('pays for calls that end at once, such as cancelled ones', () => {
    const account = of({ perS: 10 });
    for (let at = 0; at < 10; at += 1) {
      expect(account.begin()).toBeUndefined();
      account.ended();
    }
    expect(account.begin()?.kind).toBe('CALLER_LIMIT');
  });

  it('pays for every item of a batch, and has to make up for a large one', () => {
    const account = of({ perS: 10 });
    expect(account.begin()).toBeUndefined();
    expect(() => account.enter(1_000, true)).toThrow('may send 10 requests a second');
    const rested = of({ perS: 10 });
    expect(() => rested.enter(1_000, false)).not.toThrow();
    const refusal = rested.begin();
    expect(refusal?.retryAfterMs).toBeGreaterThan(90_000);
    expect(refusal?.metadata).toEqual({ caller: 'ann', limit: 'callers.per_s' });
  });

  it('tells early that a batch is too large, and charges nothing for that', () => {
    const account = of({ perS: 100, maxItems: 50 });
    account.enter(40, false);
    expect(account.foresee(11)?.message).toContain('callers.max_items');
    expect(account.foresee(10)).toBeUndefined();
    account.left(40);
    expect(account.foresee(60)).toBeUndefined();
  });

  it('takes one message alone, however many items it has', () => {
    const account = of({ maxItems: 5 });
    expect(() => account.enter(100, true)).not.toThrow();
    expect(() => account.enter(1, true)).toThrow('callers.max_items');
    account.left(100);
    expect(() => account.enter(1, true)).not.toThrow();
  });

  it('holds so many bytes', () => {
    const account = of({ maxBytes: 100 });
    expect([account.hold(100), account.hold(1), account.hold(-101), account.hold(100)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});

describe('a caller that is refused often', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const restMs = ({ restsUntilMs }: CallerAccount): number => Math.max(0, restsUntilMs - performance.now());

  it('need not rest for some refusals', () => {
    const account = of({});
    for (let at = 0; at < 250; at += 1) account.unpaid();
    expect(restMs(account)).toBe(0);
  });

  it('rests for a millisecond for each one more', () => {
    const account = of({});
    for (let at = 0; at < 300; at += 1) account.unpaid();
    expect(restMs(account)).toBeCloseTo(50);
    jest.advanceTimersByTime(50);
    expect(restMs(account)).toBe(0);
    account.unpaid();
    expect(restMs(account)).toBeCloseTo(1);
  });

  it('rests for data of refused calls, too', () => {
    const account = of({});
    account.discarded(300 * 65_536);
    expect(restMs(account)).toBeCloseTo(50);
  });

  it.each([
    ['a batch that will have too many items', (account: CallerAccount) => void account.foresee(9)],
    ['an item too many', (account: CallerAccount) => expect(() => account.enter(9, true)).toThrow()],
    ['too many bytes', (account: CallerAccount) => void account.tooManyBytes()],
  ])('rests for %s', (_what, refuse) => {
    const account = of({ maxItems: 5 });
    account.enter(5, true);
    for (let at = 0; at < 251; at += 1) refuse(account);
    expect(restMs(account)).toBeCloseTo(1);
  });
});

describe('requests of streams', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Names, in the order in which they went. */
  function waiting(account: CallerAccount, ...names: string[]): { went: string[]; runs: (() => void)[] } {
    const went: string[] = [];
    const runs = names.map((name) => () => void went.push(name));
    for (const run of runs) account.whenAllowed(run);
    return { went, runs };
  }

  it('go at once within the rate', () => {
    expect(waiting(of({ perS: 10 }), 'a', 'b').went).toEqual(['a', 'b']);
    expect(waiting(of({}), 'a', 'b').went).toEqual(['a', 'b']);
  });

  it('wait beyond it, and go in their order as the rate allows', () => {
    const { went } = waiting(of({ perS: 2 }), 'a', 'b', 'c', 'd');
    expect(went).toEqual(['a', 'b']);
    jest.advanceTimersByTime(499);
    expect(went).toEqual(['a', 'b']);
    jest.advanceTimersByTime(1);
    expect(went).toEqual(['a', 'b', 'c']);
    jest.advanceTimersByTime(500);
    expect(went).toEqual(['a', 'b', 'c', 'd']);
  });

  it('that are given up cost nothing', () => {
    const account = of({ perS: 1 });
    const { went, runs } = waiting(account, 'a', 'b', 'c');
    account.giveUp(runs[1]!);
    jest.advanceTimersByTime(1_000);
    expect(went).toEqual(['a', 'c']);
  });

  it('go when the limit is lifted', () => {
    const account = of({ perS: 1 });
    const { went } = waiting(account, 'a', 'b', 'c');
    account.configure(NO_LIMITS);
    jest.advanceTimersByTime(1_000);
    expect(went).toEqual(['a', 'b', 'c']);
  });
});

describe('the accounts', () => {
  it('are one for each name, and one for each address without a name', () => {
    const accounts = new CallerAccounts(NO_LIMITS);
    expect(accounts.of('ann', '10.0.0.1')).toBe(accounts.of('ann', '10.0.0.2'));
    expect(accounts.of(undefined, '10.0.0.1')).not.toBe(accounts.of(undefined, '10.0.0.2'));
    expect(accounts.of(undefined, '2001:db8::1')).toBe(accounts.of(undefined, '2001:db8::2'));
  });

  it('of a hundred names are counted apart, and the others together', () => {
    const accounts = new CallerAccounts(NO_LIMITS);
    for (let at = 0; at < 300; at += 1) accounts.of(`caller-${at}`, '').begin();
    for (let at = 0; at < 50; at += 1) accounts.of(undefined, `10.0.0.${at}`).begin();
    expect(accounts.counts.size).toBe(101);
    expect(accounts.counts.get('others')).toEqual({ calls: 250, refused: 0 });
  });

  it('take on new limits at once', () => {
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
  ])('take %s for %s', (address, network) => expect(networkOf(address)).toBe(network));
});
