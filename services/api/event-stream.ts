// Subscribe: one message at a time. The next one is taken from the log when the one before has left, so that what a slow
// reader does not read waits in the log, which is bounded, and nowhere else.
import type * as grpc from '@grpc/grpc-js';
import { RouterError } from '../core/errors.ts';
import {
  Severity,
  type SubscribeRequest,
  type SubscribeResponse,
  type Event as EventMessage,
} from '../generated/tandem/v1/events.ts';
import type { Event } from '../telemetry/event.ts';
import type { Delivery, EventLog, Subscription } from '../telemetry/event-log.ts';
import { checkTopics } from './event-rules.ts';
import { toStatus } from './status.ts';
import type { UnaryOptions } from './unary.ts';

const TYPE = 'Subscribe';
const RETRY_MS = 1_000;

export interface EventStreamOptions extends Pick<UnaryOptions, 'onInternalError' | 'observer'> {
  /** Streams open at once. */
  readonly maxSubscribers: number;
  /** Aborted when the server drains: a stream has no end of its own that could be waited for. */
  readonly drained: AbortSignal;
}

type What = NonNullable<SubscribeResponse['what']>;
type SubscribeCall = grpc.ServerWritableStream<SubscribeRequest | RouterError, SubscribeResponse>;

export class EventStreams {
  readonly #events: EventLog;
  readonly #options: EventStreamOptions;
  /** What ends each open stream. */
  readonly #open = new Set<(error: RouterError) => void>();

  constructor(events: EventLog, options: EventStreamOptions) {
    this.#events = events;
    this.#options = options;
    options.drained.addEventListener('abort', () => {
      for (const end of this.#open) end(draining());
    });
  }

  begin(call: SubscribeCall): void {
    const beganMs = performance.now();
    let subscription: Subscription | undefined;
    let isSending = false;
    let isOver = false;
    const send = (what: What, startedMs: number): void => {
      isSending = true;
      call.write({ what, processingTimeMs: performance.now() - startedMs }, () => {
        isSending = false;
        sendNext();
      });
    };
    const sendNext = (): void => {
      // After its deadline a call takes no message, though it may not be over yet.
      if (isSending || isOver || Date.now() >= Number(call.getDeadline())) return;
      try {
        const startedMs = performance.now();
        const next = subscription?.take();
        if (next !== undefined) send(toWhat(next), startedMs);
      } catch (thrown) {
        end(RouterError.from(thrown));
      }
    };
    const end = (error: RouterError | undefined): void => {
      if (isOver) return;
      isOver = true;
      subscription?.end();
      call.off('cancelled', left);
      this.#open.delete(end);
      this.#options.observer.requestEnded(TYPE, error?.kind ?? 'OK', performance.now() - beganMs);
      if (error === undefined) return;
      if (error.kind === 'INTERNAL') this.#options.onInternalError(call.getPath(), error);
      call.emit('error', toStatus(error)); // how grpc-js is told of a status
    };
    // The caller has left, or its deadline has passed: that is how a stream ends, and not an error.
    const left = (): void => end(undefined);
    try {
      const { topics, afterSequence } = this.#admit(call.request);
      subscription = this.#events.subscribe({
        topics,
        onNews: sendNext,
        ...(afterSequence !== undefined && { afterSequence }),
      });
      this.#open.add(end);
      call.on('cancelled', left);
      const { instance, lastSequence } = this.#events;
      send({ $case: 'subscribed', value: { instance, lastSequence: BigInt(lastSequence) } }, beganMs);
    } catch (thrown) {
      end(RouterError.from(thrown));
    }
  }

  #admit(request: SubscribeRequest | RouterError): { topics: readonly string[]; afterSequence: number | undefined } {
    if (request instanceof RouterError) throw request;
    const { topics, instance } = request;
    checkTopics(topics);
    const afterSequence = this.#resumeAfter(instance, request.afterSequence);
    if (this.#options.drained.aborted) throw draining();
    if (this.#open.size >= this.#options.maxSubscribers) {
      const message = `${this.#open.size} callers subscribe already; try again later, or see setting events.max_subscribers`;
      throw new RouterError('ROUTER_FULL', message, { retryAfterMs: RETRY_MS });
    }
    return { topics, afterSequence };
  }

  /** What was heard of an earlier run is nothing of this one. */
  #resumeAfter(instance: string, sequence: bigint | undefined): number | undefined {
    const { lastSequence } = this.#events;
    if (sequence === undefined) return undefined;
    if (instance !== '' && instance !== this.#events.instance) return 0;
    if (sequence <= BigInt(lastSequence)) return Number(sequence);
    const hint = 'send what you last received, with the instance that it is of, since a restart begins with 1 again';
    const message = `after_sequence is ${sequence}, and the newest event is ${lastSequence}; ${hint}`;
    throw new RouterError('INVALID_FIELD', message, { field: 'after_sequence' });
  }
}

function toWhat(delivery: Delivery): What {
  return 'missed' in delivery
    ? { $case: 'missed', value: { count: BigInt(delivery.missed) } }
    : { $case: 'event', value: toMessage(delivery.event) };
}

function toMessage({ sequence, timeMs, severity, ...rest }: Event): EventMessage {
  return { ...rest, sequence: BigInt(sequence), timeMs: BigInt(timeMs), severity: Severity[`SEVERITY_${severity}`] };
}

function draining(): RouterError {
  return new RouterError('DRAINING', 'the router is shutting down; subscribe again once it is back');
}
