// Calls a method of the API from inside the router, with the same handler, limits and metrics as over gRPC.
import type { CallOwner, CallListener, IncomingCall, OneRequestMethod } from '../../grpc/method.ts';
import type { Metadata } from '../../grpc/metadata.ts';
import { type Status, StatusError } from '../../grpc/status.ts';

interface InnerCaller {
  readonly metadata: Metadata;
  /** IP address; empty: none. */
  readonly peer: string;
  readonly owner: CallOwner | undefined;
}

/** One unary call. */
export class InnerCall implements IncomingCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly peer: string;
  readonly owner: CallOwner | undefined;
  readonly startedMs = performance.now();
  readonly deadlineMs = Infinity;
  readonly hasUnsent = false;
  isOver = false;
  listener: CallListener | undefined;
  readonly #outcome = Promise.withResolvers<unknown>();

  constructor(path: string, { metadata, peer, owner }: InnerCaller) {
    this.path = path;
    this.metadata = metadata;
    this.peer = peer;
    this.owner = owner;
  }

  /** Resolves with the response as bytes; rejects with StatusError. `request`: encoded. */
  async run(method: OneRequestMethod<unknown, unknown>, request: Uint8Array): Promise<Buffer> {
    const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    method.handle(this, method.decode(bytes));
    return Buffer.from(method.encode(await this.#outcome.promise));
  }

  answer(response: unknown): void {
    this.isOver = true;
    this.#outcome.resolve(response);
  }

  fail(status: Status): void {
    this.isOver = true;
    this.#outcome.reject(new StatusError(status));
  }

  /** The caller is gone. */
  cut(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener?.onCut?.();
  }

  // For streams, which are not called from inside.
  send(response: unknown): boolean {
    this.answer(response);
    return true;
  }

  end(): void {}
  pause(): void {}
  resume(): void {}
}
