// Who watches the live snapshot: one timer for all, which only runs while somebody does. A snapshot is made and written
// out once a second, however many look at it; a reader that has not taken the last one yet gets none, so nothing queues.
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

  /** Sends snapshots until the other side leaves. The head has been written. */
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

  /** Ends every stream; their readers come back when there is a server again. */
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
