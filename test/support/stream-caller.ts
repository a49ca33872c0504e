// The caller of a ReasonStream. A test can let it send invalid requests or stop reading.
import * as grpc from '@grpc/grpc-js';
import {
  ReasonRequest,
  ReasonStreamResponse,
  ReasoningServiceService,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { ReasonStreamRequestWire } from '../../services/generated/tandem/wire/v1/wire.ts';

interface StreamCallerOptions {
  readonly reads?: boolean;
  /** Metadata that the client library does not send itself. Example: `{'grpc-timeout': '200m'}`. */
  readonly headers?: Readonly<Record<string, string>>;
}

const asIs = (bytes: Buffer): Buffer => bytes;

export class StreamCaller {
  /** In the order of arrival. */
  readonly answers: ReasonStreamResponse[] = [];
  /** Resolves with the end of the stream, after its last answer was read. */
  readonly ended: Promise<grpc.StatusObject>;
  readonly #call: grpc.ClientDuplexStream<Buffer, ReasonStreamResponse>;

  /** Reads from the beginning by default. */
  constructor(client: grpc.Client, { reads = true, headers = {} }: StreamCallerOptions = {}) {
    const { path } = ReasoningServiceService.reasonStream;
    const metadata = new grpc.Metadata();
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
    this.#call = client.makeBidiStreamRequest(path, asIs, (bytes) => ReasonStreamResponse.decode(bytes), metadata);
    this.ended = new Promise((resolve) => this.#call.on('status', resolve));
    this.#call.on('error', () => undefined); // the status says the same
    this.#call.on('data', (answer: ReasonStreamResponse) => this.answers.push(answer));
    // This differs from no listener: then the client library would read and buffer everything.
    if (!reads) this.#call.pause();
  }

  /** Bytes are an encoded request, which may be invalid. */
  send(request: Partial<ReasonRequest> | Uint8Array): void {
    this.sendMessage(streamMessage(request));
  }

  /** The bytes of a complete message. */
  sendMessage(bytes: Buffer): void {
    this.#call.write(bytes);
  }

  /** Half-close: sends nothing more. */
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

  /** Messages that wait in the client, because the router accepts no more. */
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
