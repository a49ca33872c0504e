// EventService: events of the router and of users for subscribers.
import { RouterError } from '../core/errors.ts';
import { EventServiceService, type PublishRequest, type PublishResponse } from '../generated/tandem/v1/events.ts';
import type { Method } from '../grpc/method.ts';
import type { EventLog } from '../telemetry/event-log.ts';
import { decoding } from './decoding.ts';
import { toNewEvent } from './event-rules.ts';
import { type EventStreamOptions, EventStreams } from './event-stream.ts';
import { methodsOf } from './methods.ts';
import { checkPublish, checkSubscribe } from './request-limits.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { type UnaryOptions, unary } from './unary.ts';

export const eventService = decoding(EventServiceService, { subscribe: checkSubscribe, publish: checkPublish });

export interface EventOptions extends UnaryOptions, EventStreamOptions {
  /** Events that all users together may publish in one second. */
  readonly publishPerS: number;
  /** Clock for the rate limit, milliseconds. */
  readonly nowMs?: () => number;
}

export function eventMethods(events: EventLog, options: EventOptions): Method[] {
  const streams = new EventStreams(events, options);
  const bucket = new TokenBucket(options.publishPerS, options.nowMs);
  return methodsOf(eventService, {
    subscribe: (call, request) => streams.begin(call, request),
    publish: unary<PublishRequest, PublishResponse>(options, (request, { startedMs }) => {
      const event = toNewEvent(request);
      refuseAbove(bucket, options.publishPerS);
      const { sequence } = events.publish(event);
      return {
        sequence: BigInt(sequence),
        instance: events.instance,
        processingTimeMs: performance.now() - startedMs,
      };
    }),
  });
}

/** Throws PUBLISH_RATE. */
function refuseAbove(bucket: TokenBucket, perS: number): void {
  const retryAfterMs = bucket.take();
  if (retryAfterMs === 0) return;
  if (perS === 0)
    throw new RouterError('PUBLISH_RATE', 'this router publishes no users’ events; see setting events.publish_per_s');
  const message = `users publish more than ${perS} events a second; try again later, or see setting events.publish_per_s`;
  throw new RouterError('PUBLISH_RATE', message, { retryAfterMs });
}
