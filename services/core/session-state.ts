// The fields of a session state that the router reads (proto/NUMERICS.md, "Session state"). Only engines read the rest.

import * as at from './state-bytes.ts';

interface StateHeader {
  readonly totalSpikes: bigint;
  readonly synapticOperations: bigint;
  readonly modelId: bigint;
  /** Steps so far, at least 1. */
  readonly steps: number;
}

/** In the body: the model's id and the steps. */
const MIN_BODY_BYTES = at.COUNTS_AT - at.BODY_AT;

/** Undefined: not a state. The engines check the checksum and the model. */
export function readStateHeader(bytes: Uint8Array): StateHeader | undefined {
  if (bytes.length < at.COUNTS_AT + at.CHECKSUM_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyBytes = view.getUint32(at.BODY_BYTES_AT, true);
  const steps = view.getUint32(at.STEPS_AT, true);
  const isState = view.getUint32(0, true) === at.STATE_MAGIC && steps > 0;
  if (!isState || bodyBytes < MIN_BODY_BYTES || at.BODY_AT + bodyBytes + at.CHECKSUM_BYTES > bytes.length)
    return undefined;
  return {
    totalSpikes: view.getBigUint64(at.TOTAL_SPIKES_AT, true),
    synapticOperations: view.getBigUint64(at.SYNAPTIC_OPERATIONS_AT, true),
    modelId: view.getBigUint64(at.MODEL_ID_AT, true),
    steps,
  };
}
