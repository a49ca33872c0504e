// One ReasonBatch call; its items may be invalid requests.
import type * as grpc from '@grpc/grpc-js';
import {
  ReasonBatchResponse,
  type ReasonBatchResult,
  ReasonRequest,
  ReasoningServiceService,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { ReasonBatchRequestWire } from '../../services/generated/tandem/wire/v1/wire.ts';

export interface BatchCall {
  /** Rejects with the client library's error. */
  readonly results: Promise<ReasonBatchResult[]>;
  cancel(): void;
}

/** Bytes are the encoded form of an item. */
export function callBatch(client: grpc.Client, items: readonly (Partial<ReasonRequest> | Uint8Array)[]): BatchCall {
  return callBatchMessage(client, batchMessage(items));
}

export function batchMessage(items: readonly (Partial<ReasonRequest> | Uint8Array)[]): Buffer {
  const requests = items.map((item) => {
    return (
      item instanceof Uint8Array ? item : ReasonRequest.encode(ReasonRequest.fromPartial(item)).finish()
    ) as Buffer;
  });
  return Buffer.from(ReasonBatchRequestWire.encode({ requests }).finish());
}

export function callBatchMessage(client: grpc.Client, message: Buffer): BatchCall {
  const { promise, resolve, reject } = Promise.withResolvers<ReasonBatchResult[]>();
  const call = client.makeUnaryRequest(
    ReasoningServiceService.reasonBatch.path,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => ReasonBatchResponse.decode(bytes),
    message,
    (error, response) => (error ? reject(error) : resolve(response!.results)),
  );
  return { results: promise, cancel: () => call.cancel() };
}
