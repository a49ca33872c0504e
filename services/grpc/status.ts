// How a call ends: a code, a text for its reader, and metadata.
import type { Metadata } from './metadata.ts';

/** Numbers as on the wire. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type CodeName = keyof typeof Code;

const NAMES = Object.keys(Code) as CodeName[];

export interface Status {
  readonly code: number;
  /** What happened and what to do next. */
  readonly message: string;
  /** Sent with it, as trailers. */
  readonly metadata?: Metadata | undefined;
  /** Its header block, from the first time that it is sent as a whole answer. */
  block?: Buffer | undefined;
}

export function status(code: CodeName, message: string): Status {
  return { code: Code[code], message, metadata: undefined };
}

/** A code that is not in this list is UNKNOWN, as gRPC specifies. */
export function codeName(code: number): CodeName {
  return NAMES[code] ?? 'UNKNOWN';
}

/** The error of a client's call. */
export class StatusError extends Error implements Status {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly metadata: Metadata | undefined;

  constructor({ code, message, metadata }: Status, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.metadata = metadata;
  }
}
