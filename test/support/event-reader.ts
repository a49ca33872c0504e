// A subscriber of EventService that records its events, and that a test can stop reading.
import type * as grpc from '@grpc/grpc-js';
import {
  type Event,
  type EventServiceClient,
  SubscribeRequest,
  type SubscribeResponse,
  type Subscribed,
} from '../../services/generated/tandem/v1/events.ts';

export class EventReader {
  /** In the order of arrival. */
  readonly events: Event[] = [];
  /** Sequences of events, and "missed N". */
  readonly story: (number | string)[] = [];
  readonly subscribed: Promise<Subscribed>;
  /** Rejects with the error that ended the stream. */
  readonly ended: Promise<never>;
  readonly #call: grpc.ClientReadableStream<SubscribeResponse>;

  /** Reads from the beginning. */
  constructor(client: EventServiceClient, request: Partial<SubscribeRequest> = {}, options: grpc.CallOptions = {}) {
    this.#call = client.subscribe(SubscribeRequest.fromPartial(request), options);
    this.ended = new Promise((_resolve, reject) => this.#call.on('error', reject));
    this.ended.catch(() => undefined); // most tests do not use it
    this.subscribed = new Promise((resolve, reject) => {
      this.#call.on('data', ({ what }: SubscribeResponse) => {
        if (what?.$case === 'subscribed') resolve(what.value);
        if (what?.$case === 'missed') this.story.push(`missed ${what.value.count}`);
        if (what?.$case !== 'event') return;
        this.story.push(Number(what.value.sequence));
        this.events.push(what.value);
      });
      this.#call.on('error', reject);
    });
    this.subscribed.catch(() => undefined);
  }

  /** Stops reading: further events stay on the connection. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }
}
