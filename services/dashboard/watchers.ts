// Streams the live snapshot to all watchers. One timer runs while there are watchers, and a snapshot is built and
// serialized once a second for all of them. A reader that has not received the last one yet is skipped, so nothing
// queues.
import type { IncomingMessage, ServerResponse } from 'node:http';

const INTERVAL_MS = 1_000;

export class Watchers {
  readonly #read: () => object;
  readonly #max: number;
  readonly #every: (intervalMs: number, tick: () => void) => () => void;
  readonly #open = new Set<ServerResponse>();
  #stop: (() => void) | undefined;

  constructor(read: () => object, max: number, every = everyMs) {
    this.#read = read;
    this.#max = max;
    this.#every = every;
  }

  get size(): number {
    return this.#open.size;
  }

  get isFull(): boolean {
    return this.#open.size >= this.#max;
  }

  /** Sends snapshots until the peer disconnects. The response head must already be written. */
  add(response: ServerResponse): void {
    response.write(`retry: 2000\n\n${this.#message()}`);
    this.#open.add(response);
    this.#stop ??= this.#every(INTERVAL_MS, () => this.#tick());
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#rest();
    });
  }

  /** Ends the streams of those that may no longer watch. */
  recheck(mayWatch: (request: IncomingMessage) => boolean): void {
    for (const response of this.#open) if (!mayWatch(response.req)) response.end();
  }

  /** Ends every stream; readers reconnect when there is a server again. */
  end(): void {
    for (const response of this.#open) response.end();
    this.#rest();
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #tick(): void {
    const ready = [...this.#open].filter(({ writableLength }) => writableLength === 0);
    if (ready.length === 0) return;
    const message = this.#message();
    for (const response of ready) response.write(message);
  }

  #message(): string {
    return `data: ${JSON.stringify(this.#read())}\n\n`;
  }
}

function everyMs(intervalMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, intervalMs);
  return () => clearInterval(timer);
}
