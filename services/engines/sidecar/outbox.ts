// What waits to be sent over one InferStream, cut into messages that the engine accepts.
import type { InferItem } from '../../generated/tandem/engine/v1/engine.ts';

/** Limits of one message, below what an engine accepts as a rule. A larger item travels alone. */
const MAX_ITEMS = 256;
const MAX_BYTES = 1_048_576;
const MAX_CANCELS = 1_000;
/** Encoded at most: a cancelled id; a dimension; everything of an item that has a fixed size; the message's own fields. */
const CANCEL_BYTES = 10;
const DIMENSION_BYTES = 5;
const ITEM_BYTES = 64;
const MESSAGE_BYTES = 16;
const BYTES_PER_CHAR = 3;

export interface OutgoingMessage {
  readonly items: InferItem[];
  readonly cancelIds: bigint[];
}

/** The most bytes that a message with this item alone can have. */
export function messageBytes({ model, shape, data, traceParent }: InferItem): number {
  const text = BYTES_PER_CHAR * model.length + traceParent.length;
  return MESSAGE_BYTES + ITEM_BYTES + text + DIMENSION_BYTES * shape.length + data.length;
}

export class Outbox {
  readonly #maxBytes: number;
  #items: InferItem[] = [];
  #cancelIds: bigint[] = [];

  /** `maxMessageBytes`: what the engine accepts. Items that are larger must not be added. */
  constructor(maxMessageBytes: number) {
    this.#maxBytes = Math.min(MAX_BYTES, maxMessageBytes);
  }

  get isEmpty(): boolean {
    return this.#items.length === 0 && this.#cancelIds.length === 0;
  }

  add(item: InferItem): void {
    this.#items.push(item);
  }

  /** Takes back what was not sent; tells the engine of what was. Returns true if it was sent. */
  cancel(id: bigint): boolean {
    const unsent = this.#items.findIndex((item) => item.id === id);
    if (unsent >= 0) this.#items.splice(unsent, 1);
    else this.#cancelIds.push(id);
    return unsent < 0;
  }

  /** The next message. Cancellations go first: a large item must not be made larger by them. */
  take(): OutgoingMessage {
    const cancelIds = this.#cancelIds.splice(0, MAX_CANCELS);
    let bytes = MESSAGE_BYTES + CANCEL_BYTES * cancelIds.length;
    let count = 0;
    for (const item of this.#items) {
      bytes += messageBytes(item) - MESSAGE_BYTES;
      const isAlone = count === 0 && cancelIds.length === 0;
      if (count === MAX_ITEMS || (!isAlone && bytes > this.#maxBytes)) break;
      count += 1;
    }
    if (count < this.#items.length) return { items: this.#items.splice(0, count), cancelIds };
    const items = this.#items;
    this.#items = [];
    return { items, cancelIds };
  }
}
