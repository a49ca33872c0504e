// Calls under way, so that a stop can wait for them, and end those that it can wait for no longer. grpc-js would also
// wait for every health watch, which its caller may never end.
import { RouterError } from '../core/errors.ts';

/** Ends a call, if it has not ended yet. */
export type EndCall = (error: RouterError) => void;

export class OpenCalls {
  readonly #ends = new Set<EndCall>();
  #onIdle: () => void = () => undefined;

  opened(end: EndCall): void {
    this.#ends.add(end);
  }

  closed(end: EndCall): void {
    this.#ends.delete(end);
    if (this.#ends.size === 0) this.#onIdle();
  }

  /** Resolves when none is under way, or after `timeoutMs`, when those that still are have been told why they end. */
  async finish(timeoutMs: number): Promise<void> {
    if (this.#ends.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#onIdle = () => resolve(undefined);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    const message = `the router is stopping, and this took longer than it has left (${timeoutMs} ms); send it again, elsewhere`;
    for (const end of [...this.#ends]) end(new RouterError('DRAINING', message));
  }
}
