// Frame types, flags and sizes of RFC 9113, sections 4 and 6.

export const FRAME_HEADER_BYTES = 9;
/**
 * The largest frame that this side receives and sends: the default of SETTINGS_MAX_FRAME_SIZE, which is never raised.
 */
export const MAX_FRAME_BYTES = 16_384;
export const MAX_STREAM_ID = 0x7fff_ffff;
export const MAX_WINDOW = 0x7fff_ffff;
export const DEFAULT_WINDOW = 65_535;

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

export const Flag = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const CLIENT_PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** An unsigned number of 32 bits, most significant byte first. */
export function readUint32(buffer: Uint8Array, at: number): number {
  return ((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0;
}

/** The same without its highest bit, which RFC 9113 reserves in stream ids and window increments. */
export function readUint31(buffer: Uint8Array, at: number): number {
  return readUint32(buffer, at) & 0x7fff_ffff;
}
