// Limits what all callers together, and each caller, may spend on the language model. The maximum cost of a request is
// reserved before it is sent; the actual cost replaces it afterwards. A request whose reservation would exceed a limit
// is not sent, so concurrent requests cannot exceed it either. A provider that uses more than was reserved (it ignores
// the limit on its answer) is charged in full, and later requests are refused.
import type { TokenUsage } from '../../core/agent-observer.ts';

interface Prices {
  /** US dollars for a million tokens. */
  readonly promptUsdPerMillion: number;
  readonly completionUsdPerMillion: number;
}

export interface BudgetLimits {
  /** Length of a budget window, milliseconds. Spending starts at 0 in each window. */
  readonly windowMs: number;
  readonly tokens: number;
  readonly usd: number;
  /** Of each caller. */
  readonly callerTokens: number;
  readonly callerUsd: number;
}

export interface Reservation {
  readonly accounts: readonly Account[];
  readonly most: TokenUsage;
}

/**
 * Maximum number of callers with their own account; all others share one. Callers are listed in the settings, so this
 * limit is not reached in practice.
 */
const MAX_CALLERS = 4_096;
const OTHERS = 'others';
const MILLION = 1e6;

export class Budget {
  #limits: BudgetLimits;
  readonly #prices: Prices;
  readonly #nowMs: () => number;
  #windowEndMs: number;
  readonly #all = new Account();
  readonly #callers = new Map<string, Account>();

  constructor(limits: BudgetLimits, prices: Prices, nowMs: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#prices = prices;
    this.#nowMs = nowMs;
    this.#windowEndMs = nowMs() + limits.windowMs;
  }

  configure(limits: BudgetLimits): void {
    this.#limits = limits;
    this.#windowEndMs = Math.min(this.#windowEndMs, this.#nowMs() + limits.windowMs);
  }

  usdOf({ promptTokens, completionTokens }: TokenUsage): number {
    const { promptUsdPerMillion, completionUsdPerMillion } = this.#prices;
    return (promptTokens * promptUsdPerMillion + completionTokens * completionUsdPerMillion) / MILLION;
  }

  /** Returns the reason if a limit forbids it. */
  reserve(caller: string, most: TokenUsage): Reservation | string {
    this.#renew();
    const own = this.#account(caller);
    const { tokens, usd, callerTokens, callerUsd } = this.#limits;
    const why =
      this.#excess(own, most, callerTokens, callerUsd, `caller ${caller}`, 'caller_') ??
      this.#excess(this.#all, most, tokens, usd, 'all callers', '');
    if (why !== undefined) return why;
    const accounts = [own, this.#all];
    for (const account of accounts) account.reserve(most);
    return { accounts, most };
  }

  /** `took`: undefined if not known; then the maximum is charged. */
  settle({ accounts, most }: Reservation, took: TokenUsage | undefined): void {
    this.#renew();
    for (const account of accounts) account.settle(most, took ?? most);
  }

  /** Spent and reserved within the window. */
  get used(): TokenUsage {
    return this.#all.used;
  }

  #excess(
    account: Account,
    most: TokenUsage,
    maxTokens: number,
    maxUsd: number,
    spender: string,
    prefix: string,
  ): string | undefined {
    const after = added(account.used, most);
    if (after.promptTokens + after.completionTokens > maxTokens) {
      return `the call could take ${spender} above agents.budget.${prefix}tokens (${maxTokens}); ${this.#until()}`;
    }
    if (this.usdOf(after) > maxUsd) {
      return `the call could take ${spender} above agents.budget.${prefix}usd (${maxUsd}); ${this.#until()}`;
    }
    return undefined;
  }

  #until(): string {
    return `counted anew in ${Math.ceil((this.#windowEndMs - this.#nowMs()) / 1_000)} s`;
  }

  #renew(): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#windowEndMs) return;
    this.#windowEndMs = nowMs + this.#limits.windowMs;
    this.#all.renew();
    for (const [name, account] of this.#callers) {
      account.renew();
      if (account.isIdle) this.#callers.delete(name);
    }
  }

  #account(caller: string): Account {
    const name = this.#callers.has(caller) || this.#callers.size < MAX_CALLERS ? caller : OTHERS;
    let account = this.#callers.get(name);
    if (account === undefined) this.#callers.set(name, (account = new Account()));
    return account;
  }
}

const NOTHING: TokenUsage = { promptTokens: 0, completionTokens: 0 };

/** Whole numbers, so that no rounding adds up. */
class Account {
  #spent = NOTHING;
  #reserved = NOTHING;

  get used(): TokenUsage {
    return added(this.#spent, this.#reserved);
  }

  get isIdle(): boolean {
    const { promptTokens, completionTokens } = this.used;
    return promptTokens + completionTokens === 0;
  }

  reserve(most: TokenUsage): void {
    this.#reserved = added(this.#reserved, most);
  }

  settle({ promptTokens, completionTokens }: TokenUsage, took: TokenUsage): void {
    this.#reserved = added(this.#reserved, { promptTokens: -promptTokens, completionTokens: -completionTokens });
    this.#spent = added(this.#spent, took);
  }

  renew(): void {
    this.#spent = NOTHING;
  }
}

function added(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
}
