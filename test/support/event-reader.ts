// A subscriber of EventService that remembers what it was told, and stops reading when a test says so.
import type * as grpc from '@grpc/grpc-js';
import {
  type Event,
  type EventServiceClient,
  SubscribeRequest,
  type SubscribeResponse,
  type Subscribed,
} from '../../services/generated/tandem/v1/events.ts';

export class EventReader {
  /** In the order in which they came. */
  readonly events: Event[] = [];
  /** Sequences of events, and "missed N". */
  readonly story: (number | string)[] = [];
  readonly subscribed: Promise<Subscribed>;
  /** Rejects with how the stream ended. */
  readonly ended: Promise<never>;
  readonly #call: grpc.ClientReadableStream<SubscribeResponse>;

  /** Reads from the beginning. */
  constructor(client: EventServiceClient, request: Partial<SubscribeRequest> = {}, options: grpc.CallOptions = {}) {
    this.#call = client.subscribe(SubscribeRequest.fromPartial(request), options);
    this.ended = new Promise((_resolve, reject) => this.#call.on('error', reject));
    this.ended.catch(() => undefined); // most tests do not ask
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

  /** Reads no more: what is sent to it stays on the connection. */
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
