// The call of an InferStream: adds and checks checksums, and checks limits on a message before it is decoded. A wrong
// checksum is a fault of the link and says nothing about the engine.
import { type DescribeResponse, EngineServiceService } from '../../generated/tandem/engine/v1/engine.ts';
import type { ClientCall, ClientMethod, ResponseListener } from '../../grpc/client-call.ts';
import type { GrpcClient } from '../../grpc/client.ts';
import { Metadata } from '../../grpc/metadata.ts';
import type { Status } from '../../grpc/status.ts';
import { whyLost } from './connect-error.ts';
import { refusedUnread, wrongChecksum } from './engine-calls.ts';
import { encodeRequest } from './infer-request.ts';
import { isSealed } from './message-checksum.ts';
import { type Owed, checkInferMessage } from './message-limits.ts';
import type { OutgoingMessage } from './outbox.ts';

/** Events of the call for its InferStream. */
export interface InferListener {
  /** The answers that the engine may send now. */
  readonly owed: Owed;
  /** An InferStreamResponse within its limits. */
  onMessage(bytes: Buffer): void;
  /** After `write` returned false: more may be written. */
  onDrain(): void;
  /** Called once, with the reason for an operator. */
  onEnd(why: string): void;
}

/**
 * Tells the engine that every message of the stream has a checksum, so that it detects a missing one even in the first
 * message.
 */
const METADATA = Metadata.of({ 'tandem-checksums': '1' });
/** The `instance_id` of the engine's process, sent when the stream opens. */
const INSTANCE_ID_KEY = 'tandem-instance-id-bin';

/** For gRPC, messages are bytes, so a refusal is worded here. */
const method: ClientMethod<Uint8Array, Buffer> = {
  path: EngineServiceService.inferStream.path,
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
};

export class InferCall implements ResponseListener<Buffer> {
  readonly #client: GrpcClient;
  readonly #engineId: string;
  readonly #described: DescribeResponse;
  readonly #listener: InferListener;
  readonly #call: ClientCall<Uint8Array, Buffer>;
  #sent = 0n;
  #received = 0n;
  #isOver = false;

  /** Opens the call to the engine with this description. The listener may be called before this returns. */
  constructor(client: GrpcClient, engineId: string, described: DescribeResponse, listener: InferListener) {
    this.#client = client;
    this.#engineId = engineId;
    this.#described = described;
    this.#listener = listener;
    this.#call = client.call(method, this, { metadata: METADATA });
  }

  /** Returns false if the next message must wait for onDrain. */
  write(message: OutgoingMessage): boolean {
    return this.#call.send(encodeRequest(message, this.#sent++));
  }

  /** Ends the writing side. */
  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#isOver = true;
    this.#call.cancel();
  }

  onMetadata(theirs: Metadata): void {
    const { instanceId } = this.#described;
    const [found] = theirs.getBinary(INSTANCE_ID_KEY);
    if (found === undefined || instanceId.length === 0 || found.equals(instanceId)) return;
    this.#fail(otherProcess(this.#engineId, found, instanceId));
  }

  onMessage(bytes: Buffer): void {
    if (this.#described.checksums && !isSealed(bytes, this.#received++)) {
      this.#fail(wrongChecksum(this.#engineId));
      return;
    }
    try {
      checkInferMessage(bytes, this.#listener.owed);
    } catch (error) {
      this.#fail(refusedUnread(`a message from engine "${this.#engineId}"`, error));
      return;
    }
    this.#listener.onMessage(bytes);
  }

  onDrain(): void {
    this.#listener.onDrain();
  }

  onStatus(end: Status): void {
    this.#end(whyLost(end, this.#client));
  }

  /** With our own reason: gRPC's would be CANCELLED. */
  #fail(why: string): void {
    this.#end(why);
    this.cancel();
  }

  #end(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onEnd(why);
  }
}

function otherProcess(engineId: string, found: Buffer, described: Uint8Array): string {
  const [process, other] = [Buffer.from(described).toString('hex'), found.toString('hex')];
  return `engine "${engineId}" is process ${process}, but its stream led to process ${other}; give each engine an address of its own`;
}
