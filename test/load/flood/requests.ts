// The requests of a flood. Messages are encoded once, so that the flooder itself needs little CPU.
import {
  ReasonBatchRequest,
  ReasonRequest,
  ReasonStreamRequest,
} from '../../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../../services/generated/tandem/v1/types.ts';
import type { ClientMethod } from '../../../services/grpc/client-call.ts';
import { readHeldout } from '../../support/heldout.ts';

export const FLOODS = ['calls', 'items', 'bytes', 'gzip', 'cancels', 'streams'] as const;
export type FloodKind = (typeof FLOODS)[number];

const MESSAGE_BYTES = 4_000_000;
const MAX_ITEMS = 1_024;

function method(name: string): ClientMethod<Uint8Array, Buffer> {
  return { path: `/tandem.v1.ReasoningService/${name}`, encode: (bytes) => bytes, decode: (bytes) => bytes };
}

export const REASON = method('Reason');
export const REASON_BATCH = method('ReasonBatch');
export const REASON_STREAM = method('ReasonStream');

/** Inputs of the model, none of them answered from the cache. */
export function goodRequests(): Uint8Array[] {
  return readHeldout().map(({ data }) =>
    ReasonRequest.encode(
      ReasonRequest.fromPartial({
        tensor: { shape: [768], dtype: 'FP32', data },
        cache: CacheMode.CACHE_MODE_BYPASS,
      }),
    ).finish(),
  );
}

export function streamRequests(): Uint8Array[] {
  return goodRequests().map((bytes) => ReasonStreamRequest.encode({ request: ReasonRequest.decode(bytes) }).finish());
}

/** The maximum number of items of a batch, all empty. */
export function emptyItems(): Uint8Array {
  const requests = Array.from({ length: MAX_ITEMS }, () => ReasonRequest.fromPartial({}));
  return ReasonBatchRequest.encode({ requests }).finish();
}

/** The maximum bytes of a message, in items that are too long for the model. */
export function fullBatch(): Uint8Array {
  const count = Math.floor(MESSAGE_BYTES / MAX_ITEMS / 4) - 16;
  const tensor = { shape: [count], dtype: 'FP32', data: Buffer.alloc(4 * count) };
  const request = ReasonRequest.fromPartial({ tensor });
  return ReasonBatchRequest.encode({ requests: Array.from({ length: MAX_ITEMS }, () => request) }).finish();
}

/** The maximum bytes of a message, of which gzip makes 4 KB. */
export function longInput(): Uint8Array {
  const count = MESSAGE_BYTES / 4 - 64;
  const tensor = { shape: [count], dtype: 'FP32', data: Buffer.alloc(4 * count) };
  return ReasonRequest.encode(ReasonRequest.fromPartial({ tensor })).finish();
}
