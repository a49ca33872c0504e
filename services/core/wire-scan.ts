// Checks limits on an encoded message in its raw bytes. A sender can make a decoder create an object for every two
// bytes, so counting must come first. Allocates nothing, and stops at the first excess field.

/** Limits on one field of a message. Unknown fields are allowed, so that a newer engine may send more. */
interface FieldLimitOptions {
  /** Name for the error text. Example: "models". */
  readonly name: string;
  /** How often it may occur in one message. Default: once. */
  readonly times?: number;
  /** Maximum length of each, if it has one. */
  readonly bytes?: number;
  /** Maximum number of varints in one message, packed or not. `times` is then ignored. */
  readonly numbers?: number;
  /** The field is a message. */
  readonly within?: MessageLimits;
}

/** A class, because fields of objects of one form are read three times as fast. Its limits may change between scans. */
export class FieldLimit {
  readonly name: string;
  times: number;
  bytes: number;
  /** Undefined: it is no list of numbers. */
  numbers: number | undefined;
  readonly within: MessageLimits | undefined;

  constructor({ name, times = 1, bytes = Infinity, numbers, within }: FieldLimitOptions) {
    this.name = name;
    this.times = times;
    this.bytes = bytes;
    this.numbers = numbers;
    this.within = within;
  }
}

/** Maximum number of fields without their own limit, including unknown ones. */
const MAX_OTHER_FIELDS = 64;
const MAX_VARINT_BYTES = 10;
const MAX_TAG = 0xffff_ffff;

/** The bytes are a valid message that exceeds its limits. */
export class BeyondLimit extends Error {
  override readonly name = 'BeyondLimit';
  /** Undefined: too many fields without their own limit. */
  readonly limit: FieldLimit | undefined;

  constructor(message: string, limit?: FieldLimit) {
    super(message);
    this.limit = limit;
  }
}

/** For one kind of message. Reused, and never recursive. */
export class MessageLimits {
  /** By field number. */
  readonly fields: readonly (FieldLimit | undefined)[];
  /** Count of each field in the current message; index 0 counts fields without a limit. */
  readonly seen: Uint32Array;

  constructor(fields: Readonly<Record<number, FieldLimitOptions | FieldLimit>>) {
    const last = Math.max(0, ...Object.keys(fields).map(Number));
    this.fields = Array.from({ length: last + 1 }, (_, number) => limitOf(fields[number]));
    this.seen = new Uint32Array(last + 1);
  }
}

function limitOf(limit: FieldLimitOptions | FieldLimit | undefined): FieldLimit | undefined {
  return limit === undefined || limit instanceof FieldLimit ? limit : new FieldLimit(limit);
}

/** Position of the scan. Shared, because a scan never waits. */
let at = 0;

/**
 * Throws with a plain reason: BeyondLimit if the message exceeds its limits, another error if the bytes are not a
 * message.
 */
export function scan(bytes: Uint8Array, limits: MessageLimits): void {
  at = 0;
  scanMessage(bytes, bytes.length, limits);
}

function scanMessage(bytes: Uint8Array, end: number, { fields, seen }: MessageLimits): void {
  seen.fill(0);
  while (at < end) {
    const tag = varint(bytes, end);
    if (tag > MAX_TAG) throw new Error('a tag that is none');
    const number = tag >>> 3;
    const isPacked = (tag & 7) === 2;
    const length = isPacked ? varint(bytes, end) : lengthOf(tag & 7, bytes, end);
    const next = at + length;
    if (next > end) throw new Error('a field is longer than its message');
    const limit = number < fields.length ? fields[number] : undefined;
    if (limit === undefined) {
      if (++seen[0]! > MAX_OTHER_FIELDS) throw new BeyondLimit('too many fields');
    } else {
      if (limit.numbers !== undefined) {
        countNumbers(bytes, next, isPacked ? length : -1, limit, seen, number);
      } else if (++seen[number]! > limit.times) {
        throw new BeyondLimit(`more than ${limit.times} ${limit.name}`, limit);
      }
      if (length > limit.bytes) {
        throw new BeyondLimit(`more than ${limit.bytes} bytes of ${limit.name}`, limit);
      }
      if (limit.within !== undefined && isPacked) scanMessage(bytes, next, limit.within);
    }
    at = next;
  }
}

/** Each number takes at least a byte, so they are counted only if there are more bytes than allowed numbers. */
function countNumbers(
  bytes: Uint8Array,
  next: number,
  packedBytes: number,
  limit: FieldLimit,
  seen: Uint32Array,
  number: number,
): void {
  const most = limit.numbers!;
  let count = Math.max(1, packedBytes);
  if (seen[number]! + count > most && packedBytes > 0) {
    count = 0;
    for (let k = next - packedBytes; k < next; k += 1) count += bytes[k]! < 128 ? 1 : 0;
  }
  seen[number]! += count;
  if (seen[number]! > most) throw new BeyondLimit(`more than ${most} ${limit.name}`, limit);
}

/** Length of a value without a length prefix. */
function lengthOf(wireType: number, bytes: Uint8Array, end: number): number {
  if (wireType === 1) return 8;
  if (wireType === 5) return 4;
  if (wireType !== 0) throw new Error(`a field of the unknown wire type ${wireType}`);
  const start = at;
  varint(bytes, end);
  const length = at - start;
  at = start;
  return length;
}

/** Reads at `at` and moves it. */
function varint(bytes: Uint8Array, end: number): number {
  let value = 0;
  let factor = 1;
  for (let k = 0; k < MAX_VARINT_BYTES && at < end; k += 1) {
    const byte = bytes[at++]!;
    value += (byte & 127) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
  throw new Error('a number does not end');
}
