// The records of a learning log. Each ends with a checksum that also covers all records before it, so that a missing, changed or
// torn record is found. Little-endian:
//
//   file:    "TLEARN01", then records
//   record:  payload's length u32 · kind u8 · payload · XXH64 u64 of kind and payload, its seed the checksum before; at first 0
import { xxh64 } from '../engines/xxh64.ts';
import type { Example, StudentSpec } from './learner.ts';

export const MAGIC = Buffer.from('TLEARN01');
/** Maximum length of a record that this program writes. */
export const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;
export const HEAD_BYTES = 5;
export const CHECKSUM_BYTES = 8;

export const KINDS = { START: 1, EXAMPLE: 2, HELD_OUT: 3, COMMIT: 4, OUTCOME: 5, ROLL_BACK: 6 } as const;

/** The result of a commit. */
export interface CommitOutcome {
  readonly version: number;
  readonly status: 'PUBLISHED' | 'FAILED' | 'REJECTED';
  /** Empty if it is published. */
  readonly why: string;
}

export interface Commit {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly version: number;
  /** Number of examples learnt before it. */
  readonly examples: number;
  /** Number of held-out examples, and the accuracy of this version and of the previously published one (0: none). */
  readonly heldOut: number;
  readonly accuracy: number;
  readonly accuracyBefore: number;
}

export type LogRecord =
  | { readonly kind: 'START'; readonly spec: StudentSpec }
  | { readonly kind: 'EXAMPLE' | 'HELD_OUT'; readonly example: Example }
  | { readonly kind: 'COMMIT'; readonly commit: Commit; readonly state: Uint8Array }
  | { readonly kind: 'OUTCOME'; readonly outcome: CommitOutcome }
  | { readonly kind: 'ROLL_BACK'; readonly version: number };

/** Returns the record's bytes and its checksum. */
export function encodeRecord(record: LogRecord, seed: bigint): { bytes: Buffer; checksum: bigint } {
  const payload = payloadOf(record);
  const bytes = Buffer.alloc(HEAD_BYTES + payload.length + CHECKSUM_BYTES);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt8(KINDS[record.kind], 4);
  payload.copy(bytes, HEAD_BYTES);
  const checksum = xxh64(bytes.subarray(4, HEAD_BYTES + payload.length), seed);
  bytes.writeBigUInt64LE(checksum, HEAD_BYTES + payload.length);
  return { bytes, checksum };
}

/** `spec`: from the log's first record. Throws if the payload is invalid for its kind. */
export function decodeRecord(kind: number, payload: Buffer, spec: StudentSpec | undefined): LogRecord {
  if (kind === KINDS.START) return { kind: 'START', spec: json(payload) as StudentSpec };
  if (kind === KINDS.COMMIT) {
    const length = payload.readUInt32LE(0);
    return {
      kind: 'COMMIT',
      commit: json(payload.subarray(4, 4 + length)) as Commit,
      state: payload.subarray(4 + length),
    };
  }
  if (kind === KINDS.OUTCOME) return { kind: 'OUTCOME', outcome: json(payload) as CommitOutcome };
  if (kind === KINDS.ROLL_BACK) return { kind: 'ROLL_BACK', version: payload.readUInt32LE(0) };
  if (spec === undefined || (kind !== KINDS.EXAMPLE && kind !== KINDS.HELD_OUT))
    throw new Error(`a record of kind ${kind}`);
  return { kind: kind === KINDS.EXAMPLE ? 'EXAMPLE' : 'HELD_OUT', example: toExample(payload, spec) };
}

function payloadOf(record: LogRecord): Buffer {
  switch (record.kind) {
    case 'START':
      return Buffer.from(JSON.stringify(record.spec));
    case 'OUTCOME':
      return Buffer.from(JSON.stringify(record.outcome));
    case 'ROLL_BACK':
      return uint32(record.version);
    case 'COMMIT': {
      const text = Buffer.from(JSON.stringify(record.commit));
      return Buffer.concat([uint32(text.length), text, record.state]);
    }
    default:
      return fromExample(record.example);
  }
}

/** label + 1 (0: none), a bit for each teacher that answered, the features, then the scores of those teachers. */
function fromExample({ features, label, scores }: Example): Buffer {
  const present = scores.reduce((bits, row, k) => (row === undefined ? bits : bits | (1 << k)), 0);
  const rows = scores.filter((row) => row !== undefined);
  return Buffer.concat([uint32((label ?? -1) + 1), uint32(present), ...[features, ...rows].map(floatBytes)]);
}

function toExample(payload: Buffer, { features, labels, teachers }: StudentSpec): Example {
  const [label, present] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
  let at = 8;
  const floats = (count: number): Float32Array => {
    const values = Float32Array.from({ length: count }, (_, k) => payload.readFloatLE(at + k * 4));
    at += count * 4;
    return values;
  };
  const own = floats(features);
  const scores = teachers.map((_, k) => (present & (1 << k) ? floats(labels.length) : undefined));
  if (at !== payload.length || label > labels.length) throw new Error('an example of another size');
  return { features: own, label: label === 0 ? undefined : label - 1, scores };
}

function json(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function floatBytes({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
