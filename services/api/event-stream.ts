// Subscribe: one message at a time. The next event is read from the log when the one before is sent, so that events for
// a slow reader wait only in the log, which is bounded.
import { RouterError } from '../core/errors.ts';
import {
  Severity,
  type SubscribeRequest,
  type SubscribeResponse,
  type Event as EventMessage,
} from '../generated/tandem/v1/events.ts';
import type { IncomingCall } from '../grpc/method.ts';
import type { Event } from '../telemetry/event.ts';
import type { Delivery, EventLog } from '../telemetry/event-log.ts';
import { checkTopics } from './event-rules.ts';
import { type OpenStream, OpenStreams, type OpenStreamsOptions } from './open-streams.ts';

const RETRY_MS = 1_000;

export interface EventStreamOptions extends OpenStreamsOptions {
  /** Streams open at once. */
  readonly maxSubscribers: number;
}

type What = NonNullable<SubscribeResponse['what']>;
type SubscribeCall = IncomingCall<SubscribeResponse>;

export class EventStreams {
  readonly #events: EventLog;
  readonly #streams: OpenStreams;

  constructor(events: EventLog, options: EventStreamOptions) {
    this.#events = events;
    const max = options.maxSubscribers;
    this.#streams = new OpenStreams(options, {
      ...{ max, retryAfterMs: RETRY_MS, whenDrained: 'subscribe again' },
      whyFull: `${max} callers subscribe already; try again later, or see setting events.max_subscribers`,
    });
  }

  begin(call: SubscribeCall, request: SubscribeRequest | RouterError): void {
    this.#streams.begin(call, (stream) => this.#start(call, request, stream));
  }

  #start(call: SubscribeCall, request: SubscribeRequest | RouterError, stream: OpenStream): void {
    const beganMs = performance.now();
    const send = (what: What, startedMs: number): void => {
      call.send({ what, processingTimeMs: performance.now() - startedMs });
    };
    const sendNext = (): void => {
      try {
        while (!stream.isOver && !call.hasUnsent && stream.takesMessages) {
          const startedMs = performance.now();
          const next = subscription.take();
          if (next === undefined) return;
          send(toWhat(next), startedMs);
        }
      } catch (thrown) {
        stream.end(RouterError.from(thrown));
      }
    };
    const { topics, afterSequence } = this.#admit(request);
    const subscription = this.#events.subscribe({
      topics,
      onNews: sendNext,
      ...(afterSequence !== undefined && { afterSequence }),
    });
    stream.onEnd = () => subscription.end();
    stream.onDrain = sendNext;
    const { instance, lastSequence } = this.#events;
    send({ $case: 'subscribed', value: { instance, lastSequence: BigInt(lastSequence) } }, beganMs);
    sendNext();
  }

  #admit(request: SubscribeRequest | RouterError): { topics: readonly string[]; afterSequence: number | undefined } {
    if (request instanceof RouterError) throw request;
    const { topics, instance } = request;
    checkTopics(topics);
    const afterSequence = this.#resumeAfter(instance, request.afterSequence);
    this.#streams.admit();
    return { topics, afterSequence };
  }

  /** The sequence numbers of an earlier run do not apply to this one. */
  #resumeAfter(instance: string, sequence: bigint | undefined): number | undefined {
    const { lastSequence } = this.#events;
    if (sequence === undefined) return undefined;
    if (instance !== '' && instance !== this.#events.instance) return 0;
    if (sequence <= BigInt(lastSequence)) return Number(sequence);
    const hint = 'send the last sequence that you received, and its instance, since numbers begin at 1 after a restart';
    const message = `after_sequence is ${sequence}, and the newest event is ${lastSequence}; ${hint}`;
    throw new RouterError('INVALID_FIELD', message, { field: 'after_sequence' });
  }
}

function toWhat(delivery: Delivery): What {
  return 'missed' in delivery
    ? { $case: 'missed', value: { count: BigInt(delivery.missed) } }
    : { $case: 'event', value: toMessage(delivery.event) };
}

function toMessage({ sequence, timeMs, firstTimeMs, count, severity, ...rest }: Event): EventMessage {
  return {
    ...rest,
    ...{ sequence: BigInt(sequence), timeMs: BigInt(timeMs), firstTimeMs: BigInt(firstTimeMs), count: BigInt(count) },
    severity: Severity[`SEVERITY_${severity}`],
  };
}
