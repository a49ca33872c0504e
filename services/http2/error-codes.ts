// The error codes of RFC 9113, section 7, and the error that ends a connection.

export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

const NAMES = Object.keys(ErrorCode);

/** The name of an error code, or its number if RFC 9113 does not define it. */
export function errorCodeName(code: number): string {
  return NAMES[code] ?? `error ${code}`;
}

/** Thrown while a frame is read. The connection then ends with a GOAWAY that contains the code and the text. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: number;
  /** The budget that was exceeded, if that is the cause. */
  readonly budget: string | undefined;

  constructor(code: number, text: string, budget?: string) {
    super(text);
    this.code = code;
    this.budget = budget;
  }
}

export function protocolError(text: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, text);
}

export function frameSizeError(text: string): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, text);
}
