// The account of each caller, by name, or by address if it has no name.
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { plainAddress } from '../core/loopback.ts';
import { CallerAccount, type CallerCounts, type CallerLimits } from './caller-account.ts';

/** An account that is dropped while it has open calls starts empty at the caller's next call. */
const MAX_ACCOUNTS = 4_096;
/** Names that metrics show; all others are counted together. */
const MAX_COUNTED = 100;
/** For callers without a name, and for names beyond the limit. */
const OTHERS = 'others';

export class CallerAccounts {
  #limits: CallerLimits;
  readonly #accounts = new LRUCache<string, CallerAccount>({ max: MAX_ACCOUNTS });
  readonly #counts = new Map<string, CallerCounts>();

  constructor(limits: CallerLimits) {
    this.#limits = limits;
  }

  configure(limits: CallerLimits): void {
    this.#limits = limits;
    for (const account of this.#accounts.values()) account.configure(limits);
  }

  get counts(): ReadonlyMap<string, Readonly<CallerCounts>> {
    return this.#counts;
  }

  /** `name`: of the caller; undefined: it has none. `address`: IP address; empty: it has none. */
  of(name: string | undefined, address: string): CallerAccount {
    // A name cannot contain a space.
    const key = name ?? `address ${networkOf(address)}`;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = new CallerAccount(name ?? networkOf(address), this.#limits, this.#countsOf(name), name !== undefined);
      this.#accounts.set(key, account);
    }
    return account;
  }

  #countsOf(name: string | undefined): CallerCounts {
    const label = name === undefined || this.#counts.size >= MAX_COUNTED ? OTHERS : name;
    let counts = this.#counts.get(label);
    if (counts === undefined) {
      counts = { calls: 0, refused: 0 };
      this.#counts.set(label, counts);
    }
    return counts;
  }
}

/** One user of IPv6 usually has a whole /64. */
export function networkOf(address: string): string {
  const bare = plainAddress(address);
  if (!isIPv6(bare)) return bare === '' ? 'local' : bare;
  const [head = '', tail] = bare.split('%')[0]!.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const after = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0');
  return `${[...groups, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
