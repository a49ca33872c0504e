// Limits on frames that cost work and are of no use. A flood of them ends the connection with ENHANCE_YOUR_CALM.
//
// Each budget is a token bucket that is refilled once a second, so no frame needs to read a clock. Useful frames add
// tokens to some budgets, since an ordinary peer answers them with frames of these kinds.
import { ConnectionError, ErrorCode } from './error-codes.ts';
import type { BudgetLimits, Rate } from './limits.ts';

export class Budget {
  readonly #name: string;
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;

  constructor(name: string, { burst, perSecond }: Rate) {
    this.#name = name;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
  }

  /** Throws ENHANCE_YOUR_CALM if nothing is left. */
  spend(): void {
    if (--this.#tokens >= 0) return;
    throw new ConnectionError(
      ErrorCode.ENHANCE_YOUR_CALM,
      `too many ${this.#name}: at most ${this.#burst} at once and ${this.#perSecond} a second are allowed`,
      this.#name,
    );
  }

  earn(tokens: number): void {
    if (this.#tokens < this.#burst) this.#tokens = Math.min(this.#burst, this.#tokens + tokens);
  }

  /**
   * Frames that arrived while this process was paused are read at once, so their tokens are added on top of the burst.
   */
  refill(seconds: number): void {
    this.earn(this.#perSecond);
    this.#tokens += this.#perSecond * (seconds - 1);
  }
}

const UNLIMITED: Rate = { burst: Infinity, perSecond: 0 };

export class Budgets {
  readonly resets: Budget;
  readonly pings: Budget;
  readonly settings: Budget;
  readonly windowUpdates: Budget;
  readonly emptyData: Budget;
  readonly ignored: Budget;

  /** A server may reset every stream that a client has opened, so a client does not count resets. */
  constructor(limits: BudgetLimits, role: 'server' | 'client') {
    this.resets = new Budget('resets', role === 'client' ? UNLIMITED : limits.resets);
    this.pings = new Budget('pings', limits.pings);
    this.settings = new Budget('settings', limits.settings);
    this.windowUpdates = new Budget('window updates', limits.windowUpdates);
    this.emptyData = new Budget('empty data frames', limits.emptyData);
    this.ignored = new Budget('ignored frames', limits.ignored);
  }

  /** A frame with headers or data was sent. */
  onSent(): void {
    this.pings.earn(1);
    this.windowUpdates.earn(2);
  }

  /** A stream was opened. */
  onOpened(): void {
    this.windowUpdates.earn(2);
    this.ignored.earn(2);
  }

  /** Call this once a second. `seconds`: since the last call; more than 1 after the process was paused. */
  refill(seconds: number): void {
    this.resets.refill(seconds);
    this.pings.refill(seconds);
    this.settings.refill(seconds);
    this.windowUpdates.refill(seconds);
    this.emptyData.refill(seconds);
    this.ignored.refill(seconds);
  }
}
