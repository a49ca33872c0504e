import { describe, expect, it } from '@jest/globals';
import { CallerAccount, type CallerLimits } from './caller-account.ts';
import { CallerAccounts, networkOf } from './caller-accounts.ts';

const NONE: CallerLimits = { perS: 0, maxCalls: 0, maxItems: 0, maxBytes: 0 };
const of = (over: Partial<CallerLimits>): CallerAccount =>
  new CallerAccount('ann', { ...NONE, ...over }, { calls: 0, refused: 0 });

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

describe('the accounts', () => {
  it('are one for each name, and one for each address without a name', () => {
    const accounts = new CallerAccounts(NONE);
    expect(accounts.of('ann', '10.0.0.1')).toBe(accounts.of('ann', '10.0.0.2'));
    expect(accounts.of(undefined, '10.0.0.1')).not.toBe(accounts.of(undefined, '10.0.0.2'));
    expect(accounts.of(undefined, '2001:db8::1')).toBe(accounts.of(undefined, '2001:db8::2'));
  });

  it('of a hundred names are counted apart, and the others together', () => {
    const accounts = new CallerAccounts(NONE);
    for (let at = 0; at < 300; at += 1) accounts.of(`caller-${at}`, '').begin();
    for (let at = 0; at < 50; at += 1) accounts.of(undefined, `10.0.0.${at}`).begin();
    expect(accounts.counts.size).toBe(101);
    expect(accounts.counts.get('others')).toEqual({ calls: 250, refused: 0 });
  });

  it('take on new limits at once', () => {
    const accounts = new CallerAccounts(NONE);
    const account = accounts.of('ann', '');
    accounts.configure({ ...NONE, maxCalls: 1 });
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
