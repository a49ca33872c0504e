// The caller's end of a ReasonStream, who may send what is no request and stop reading when a test tells it to.
import * as grpc from '@grpc/grpc-js';
import {
  ReasonRequest,
  ReasonStreamResponse,
  ReasoningServiceService,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { ReasonStreamRequestWire } from '../../services/generated/tandem/wire/v1/wire.ts';

interface StreamCallerOptions {
  readonly reads?: boolean;
  /** What the client library does not do by itself. Example: `{'grpc-timeout': '200m'}`. */
  readonly headers?: Readonly<Record<string, string>>;
}

const asIs = (bytes: Buffer): Buffer => bytes;

export class StreamCaller {
  /** In the order in which they came. */
  readonly answers: ReasonStreamResponse[] = [];
  /** Resolves with how the stream ended, when its last answer was read. */
  readonly ended: Promise<grpc.StatusObject>;
  readonly #call: grpc.ClientDuplexStream<Buffer, ReasonStreamResponse>;

  /** Reads from the beginning, unless told otherwise. */
  constructor(client: grpc.Client, { reads = true, headers = {} }: StreamCallerOptions = {}) {
    const { path } = ReasoningServiceService.reasonStream;
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    this.#call = client.makeBidiStreamRequest(path, asIs, (bytes) => ReasonStreamResponse.decode(bytes), metadata);
    this.ended = new Promise((resolve) => this.#call.on('status', resolve));
    this.#call.on('error', () => undefined); // the status says the same
    this.#call.on('data', (answer: ReasonStreamResponse) => this.answers.push(answer));
    // Not the same as never having listened: then the client library would read on by itself, and keep it all.
    if (!reads) this.#call.pause();
  }

  /** Bytes stand for a request, and may be none. */
  send(request: Partial<ReasonRequest> | Uint8Array): void {
    this.sendMessage(streamMessage(request));
  }

  /** The bytes of a whole message. */
  sendMessage(bytes: Buffer): void {
    this.#call.write(bytes);
  }

  /** Half-close: sends no more. */
  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Reads on. */
  read(): void {
    this.#call.resume();
  }

  /** Messages that wait in the client, because the router takes no more. */
  get unsent(): number {
    return this.#call.writableLength;
  }
}

export function streamMessage(request: Partial<ReasonRequest> | Uint8Array): Buffer {
  const bytes =
    request instanceof Uint8Array ? request : ReasonRequest.encode(ReasonRequest.fromPartial(request)).finish();
  return Buffer.from(ReasonStreamRequestWire.encode({ request: bytes }).finish());
}

/** Its reason, or `OK`. */
export function outcomeOf({ outcome }: { readonly outcome?: ReasonStreamResponse['outcome'] }): string {
  return outcome?.$case === 'error' ? outcome.value.reason : 'OK';
}
