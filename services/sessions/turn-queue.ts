// Runs the messages of one session one at a time, in order of arrival.
import { deadlinePassed } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';

/** Maximum of setTimeout, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class TurnQueue {
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  /** Waiting and running messages. */
  get length(): number {
    return this.#waiting.length + Number(this.#isBusy);
  }

  /**
   * Undefined: it is this message's turn. A promise: wait for it; it rejects with the caller's reason to leave, or with
   * DEADLINE_EXCEEDED. Only a message that got its turn calls `leave`, once.
   */
  enter({ deadlineMs, signal }: CallContext): Promise<void> | undefined {
    if (!this.#isBusy) {
      this.#isBusy = true;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const detach = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      const go = (): void => {
        detach();
        resolve();
      };
      const giveUp = (error: RouterError): void => {
        detach();
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(error);
      };
      const onAbort = (): void => giveUp(RouterError.from(signal.reason));
      const leftMs = deadlineMs - performance.now();
      const onDeadline = (): void => giveUp(deadlinePassed('it was this message’s turn in its session'));
      const timer = leftMs <= MAX_TIMER_MS ? setTimeout(onDeadline, Math.max(0, leftMs)) : undefined;
      signal.addEventListener('abort', onAbort);
      this.#waiting.push(go);
      if (signal.aborted) onAbort();
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isBusy = false;
    else next();
  }
}
