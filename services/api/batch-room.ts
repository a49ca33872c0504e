// Room for batches: one of n requests counts as n. Without that, batches take a thousand times what single calls may.
import { RouterError } from '../core/errors.ts';

const RETRY_MS = 100;

export class BatchRoom {
  #items = 0;

  /**
   * Throws ROUTER_FULL where the open batches have more than `maxItems` with this one; a batch that is alone always fits.
   * Returns what gives the room back, to be called once.
   */
  enter(items: number, maxItems: number): () => void {
    if (this.#items > 0 && this.#items + items > maxItems) {
      const message = `the batches under way hold ${this.#items} requests, and there is no room for the ${items} of this one (setting max_in_flight: ${maxItems}); try again in ${RETRY_MS} ms, or send smaller batches`;
      throw new RouterError('ROUTER_FULL', message, { retryAfterMs: RETRY_MS, lack: 'MEMORY' });
    }
    this.#items += items;
    return () => {
      this.#items -= items;
    };
  }
}
