// What the router reads off a session state (proto/NUMERICS.md, "Session state"). All else in it is the engines' matter.

export interface StateHeader {
  readonly totalSpikes: bigint;
  readonly synapticOperations: bigint;
  readonly modelId: bigint;
  /** Steps so far, at least 1. */
  readonly steps: number;
}

/** "TST1", as a little-endian number. */
const MAGIC = 0x31545354;
const BODY_AT = 32;
/** Of the body: the model's id and the steps. */
const MIN_BODY_BYTES = 12;
const CHECKSUM_BYTES = 8;

/** Undefined: it is no state. The checksum, and whether it is one of this model, are checked by the engines. */
export function readStateHeader(bytes: Uint8Array): StateHeader | undefined {
  if (bytes.length < BODY_AT + MIN_BODY_BYTES + CHECKSUM_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bodyBytes = view.getUint32(4, true);
  const steps = view.getUint32(BODY_AT + 8, true);
  const isState = view.getUint32(0, true) === MAGIC && steps > 0;
  if (!isState || bodyBytes < MIN_BODY_BYTES || BODY_AT + bodyBytes + CHECKSUM_BYTES > bytes.length) return undefined;
  return {
    totalSpikes: view.getBigUint64(8, true),
    synapticOperations: view.getBigUint64(16, true),
    modelId: view.getBigUint64(BODY_AT, true),
    steps,
  };
}
