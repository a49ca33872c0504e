// Valid and invalid HTTP/2 frames and header blocks as bytes, for clients that break the rules. It shares no code with
// services/http2, so that a fault there is not hidden here.

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const FRAME_HEAD = 9;
const NOTHING = Buffer.alloc(0);

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = NOTHING): Buffer {
  const bytes = Buffer.alloc(FRAME_HEAD + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEAD);
  return bytes;
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * at);
  return bytes;
}

export function settings(values: Readonly<Record<number, number>> = {}): Buffer {
  const entries = Object.entries(values).map(([id, value]) =>
    Buffer.concat([Buffer.from([0, Number(id)]), uint32(value)]),
  );
  return frame(FrameType.SETTINGS, 0, 0, Buffer.concat(entries));
}

/** A string or number of HPACK (RFC 7541, section 5), without Huffman coding. */
export function hpackInteger(value: number, prefixBits: number, pattern = 0): Buffer {
  const most = (1 << prefixBits) - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const bytes = [pattern | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

const hpackString = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([hpackInteger(bytes.length, 7), bytes]);
};

/** Literal fields that do not change the dynamic table; `indexed`: fields that are added to it. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[], indexed = false): Buffer {
  const first = Buffer.from([indexed ? 0x40 : 0]);
  return Buffer.concat(fields.flatMap(([name, value]) => [first, hpackString(name), hpackString(value)]));
}

/** The header block of a gRPC call. */
export function callHeaders(path: string, more: readonly (readonly [string, string])[] = []): Buffer {
  return headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ]);
}

/** A gRPC message with its prefix (compression flag and length). */
export function grpcMessage(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Splits received bytes into frames. */
export class FrameCutter {
  #rest: Buffer = NOTHING;

  *cut(chunk: Buffer): Generator<Frame> {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    while (bytes.length >= FRAME_HEAD) {
      const end = FRAME_HEAD + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      const stream = bytes.readUInt32BE(5) & 0x7fffffff;
      yield { type: bytes[3]!, flags: bytes[4]!, stream, payload: bytes.subarray(FRAME_HEAD, end) };
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
  }
}
