// A bidirectional stream: requests out, answers in, with flow control in both directions.
import { once } from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import type { ReasonStreamRequest, ReasonStreamResponse } from '../generated/tandem/v1/reasoning.ts';
import type { Item } from './items.ts';

type Call = grpc.ClientDuplexStream<ReasonStreamRequest, ReasonStreamResponse>;

/** Sends all requests and receives all answers. Rejects with the error that ended the stream early. */
export async function exchange(
  call: Call,
  items: AsyncIterable<Item>,
  take: (answer: ReasonStreamResponse) => Promise<void>,
  timeoutMs: number,
): Promise<void> {
  const over = new AbortController();
  const idle = new IdleTimer(timeoutMs, () => call.cancel());
  // The reading loop below throws it. A later error on the sending side adds nothing.
  call.on('error', () => undefined);
  let inputError: unknown;
  send(call, items, take, idle, over.signal).catch((error: unknown) => {
    inputError = error;
    call.cancel();
  });
  try {
    for await (const answer of call as AsyncIterable<ReasonStreamResponse>) {
      idle.pause();
      await take(answer);
      idle.answered();
    }
    if (idle.unanswered > 0) throw new Error(`the router ended the stream; ${idle.owed()}: send them again`);
  } catch (error) {
    throw inputError ?? (idle.isTooLong ? idle.error() : error);
  } finally {
    over.abort();
    idle.pause();
  }
}

async function send(
  call: Call,
  items: AsyncIterable<Item>,
  take: (answer: ReasonStreamResponse) => Promise<void>,
  idle: IdleTimer,
  over: AbortSignal,
): Promise<void> {
  try {
    for await (const item of items) {
      if (over.aborted) return;
      if ('answer' in item) {
        await take(item.answer);
        continue;
      }
      idle.sent();
      if (!call.write({ request: item.request })) await once(call, 'drain', { signal: over });
    }
    call.end();
  } catch (error) {
    if (!over.aborted) throw error;
  }
}

/**
 * Detects that the router owes answers and sends none. Time spent waiting for input or for our own reader does not
 * count.
 */
class IdleTimer {
  isTooLong = false;
  unanswered = 0;
  readonly #timeoutMs: number;
  readonly #onTooLong: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, onTooLong: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onTooLong = onTooLong;
  }

  sent(): void {
    this.unanswered += 1;
    if (this.unanswered === 1) this.#start();
  }

  answered(): void {
    this.unanswered -= 1;
    this.#start();
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  owed(): string {
    return `${this.unanswered} request${this.unanswered === 1 ? ' is' : 's are'} unanswered`;
  }

  error(): Error {
    return new Error(`no answer for ${this.#timeoutMs} ms while ${this.owed()}; a longer --timeout-ms waits longer`);
  }

  #start(): void {
    clearTimeout(this.#timer);
    if (this.unanswered <= 0) return;
    this.#timer = setTimeout(() => {
      this.isTooLong = true;
      this.#onTooLong();
    }, this.#timeoutMs);
  }
}
