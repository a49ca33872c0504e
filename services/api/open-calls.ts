// Tracks open calls, so that a stop can wait for them and end the rest after a timeout. grpc-js would also wait for
// every health watch, which may never end.
import { RouterError } from '../core/errors.ts';
import { type Slotted, SlotList } from '../core/slot-list.ts';

/** The call stores its own index in this list. */
export interface OpenCall extends Slotted {
  /** Ends the call if it is still open. */
  abort(error: RouterError): void;
}

export class OpenCalls {
  readonly #open = new SlotList<OpenCall>();
  #onIdle: () => void = () => undefined;

  opened(call: OpenCall): void {
    this.#open.add(call);
  }

  closed(call: OpenCall): void {
    this.#open.remove(call);
    if (this.#open.size === 0) this.#onIdle();
  }

  /** Resolves when no call is open, or after `timeoutMs`, when the remaining calls have been ended with a reason. */
  async finish(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#onIdle = () => resolve(undefined);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    const message = `the router is stopping, and this took longer than the time left (${timeoutMs} ms); send it again, elsewhere`;
    for (const call of this.#open.snapshot()) call.abort(new RouterError('DRAINING', message));
  }
}
