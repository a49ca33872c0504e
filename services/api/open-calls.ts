// Calls under way, so that a stop can wait for them, and end those that it can wait for no longer. grpc-js would also
// wait for every health watch, which its caller may never end.
import { RouterError } from '../core/errors.ts';
import { type Slotted, SlotList } from '../core/slot-list.ts';

/** It knows its place here. */
export interface OpenCall extends Slotted {
  /** Ends it, if it has not ended yet. */
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

  /** Resolves when none is under way, or after `timeoutMs`, when those that still are have been told why they end. */
  async finish(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#onIdle = () => resolve(undefined);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    const message = `the router is stopping, and this took longer than it has left (${timeoutMs} ms); send it again, elsewhere`;
    for (const call of this.#open.snapshot()) call.abort(new RouterError('DRAINING', message));
  }
}
