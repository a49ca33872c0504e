// Limits the items in open batches: a batch of n requests counts as n. Without it, batches could take a thousand times
// the room of single calls.
import { RETRY_AFTER_MS, RouterError } from '../core/errors.ts';

export class BatchRoom {
  #items = 0;

  /**
   * Throws ROUTER_FULL if this batch would bring the open batches above `maxItems`; a single batch always fits. Returns
   * a function that releases the room; call it once.
   */
  enter(items: number, maxItems: number): () => void {
    if (this.#items > 0 && this.#items + items > maxItems) {
      const message = `the batches under way hold ${this.#items} requests, and there is no room for the ${items} of this one (setting max_in_flight: ${maxItems}); try again in ${RETRY_AFTER_MS.ROUTER_FULL} ms, or send smaller batches`;
      throw new RouterError('ROUTER_FULL', message, { lack: 'MEMORY' });
    }
    this.#items += items;
    return () => {
      this.#items -= items;
    };
  }
}
