// The table of all errors. A kind is also the `reason` that clients see in google.rpc.ErrorInfo.
//
// `code` is the gRPC status. `failsOver`: another engine may succeed, so the router asks it. `outcome`: how a breaker
// counts it; a caller's fault never counts against an engine. Time-outs are judged individually: see
// engines/slowness.ts. `fromEngine`: how such an error from an engine is treated:
//
//   state   the engine's own state: accepted, because another engine is asked instead
//   claim   about the input or the model, which the router has already checked: needs confirmation by another engine
//   never   not allowed from an engine; it becomes ENGINE_FAULT

export type BreakerOutcome = 'ignore' | 'success' | 'failure';

export type StatusCode =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'RESOURCE_EXHAUSTED'
  | 'OUT_OF_RANGE'
  | 'INTERNAL'
  | 'UNAVAILABLE';

interface KindRow {
  readonly code: StatusCode;
  readonly failsOver: boolean;
  readonly outcome: BreakerOutcome;
  readonly fromEngine: 'state' | 'claim' | 'never';
}

const row = (
  code: StatusCode,
  failsOver: boolean,
  outcome: BreakerOutcome,
  fromEngine: KindRow['fromEngine'] = 'never',
): KindRow => ({ code, failsOver, outcome, fromEngine });

export const ERROR_KINDS = {
  INPUT_MISSING: row('INVALID_ARGUMENT', false, 'ignore'),
  INPUT_LENGTH: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  INPUT_KIND: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  INPUT_STEPS: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  INPUT_DTYPE: row('INVALID_ARGUMENT', false, 'ignore'),
  INPUT_NOT_FINITE: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  TEXT_UNSUPPORTED: row('INVALID_ARGUMENT', false, 'ignore'),
  TEXT_EMPTY: row('INVALID_ARGUMENT', false, 'ignore'),
  TEXT_TOO_LONG: row('INVALID_ARGUMENT', false, 'ignore'),
  INVALID_FIELD: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  BATCH_TOO_LARGE: row('INVALID_ARGUMENT', false, 'ignore'),
  DETAIL_TOO_LARGE: row('RESOURCE_EXHAUSTED', false, 'ignore', 'claim'),
  STATE_INVALID: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  STATE_MODEL: row('INVALID_ARGUMENT', false, 'ignore', 'claim'),
  STATE_TOO_LARGE: row('RESOURCE_EXHAUSTED', false, 'ignore', 'claim'),
  UNKNOWN_MODEL: row('NOT_FOUND', false, 'ignore', 'claim'),
  MODEL_INVALID: row('NOT_FOUND', false, 'ignore', 'claim'),
  /** The model that a caller wants to load is invalid. */
  MODEL_REFUSED: row('INVALID_ARGUMENT', false, 'ignore'),
  MODEL_EXISTS: row('ALREADY_EXISTS', false, 'ignore'),
  MODEL_TOO_LARGE: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  /** From engines: they hold the maximum number of versions. */
  MODEL_LIMIT: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  /** From engines: their weights would differ from those that the router has read. */
  MODEL_DIFFERS: row('FAILED_PRECONDITION', false, 'ignore'),
  /** An engine could not load a version, so no engine serves it. */
  LOAD_FAILED: row('FAILED_PRECONDITION', false, 'ignore'),
  LOADS_BUSY: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  TRACE_STEP: row('INVALID_ARGUMENT', false, 'ignore'),
  TRACE_NODE: row('INVALID_ARGUMENT', false, 'ignore'),
  TRACE_TOO_LARGE: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  UNKNOWN_RECORDING: row('NOT_FOUND', false, 'ignore'),
  NON_FINITE: row('OUT_OF_RANGE', false, 'success', 'claim'),
  CANCELLED: row('CANCELLED', false, 'ignore'),
  DEADLINE_EXCEEDED: row('DEADLINE_EXCEEDED', false, 'ignore'),
  MESSAGE_TOO_LARGE: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  ROUTER_FULL: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  CALLER_LIMIT: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  PUBLISH_RATE: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  ENGINE_FULL: row('RESOURCE_EXHAUSTED', true, 'ignore', 'state'),
  DRAINING: row('UNAVAILABLE', true, 'ignore', 'state'),
  ENGINE_LOST: row('UNAVAILABLE', true, 'failure'),
  ENGINE_FAULT: row('INTERNAL', true, 'failure'),
  ENGINE_SLOW: row('UNAVAILABLE', true, 'failure'),
  /** An attempt timed out without a fault of the engine. */
  ATTEMPT_TIMEOUT: row('UNAVAILABLE', true, 'ignore'),
  /** An input larger than an engine's message limit: detected by the router before it sends anything. */
  INPUT_TOO_LARGE: row('RESOURCE_EXHAUSTED', true, 'ignore'),
  NO_ENGINE: row('UNAVAILABLE', false, 'ignore'),
  VOTE_TOO_FEW: row('UNAVAILABLE', false, 'ignore'),
  VOTE_DISPUTED: row('ABORTED', false, 'ignore'),
  UNKNOWN_CORPUS: row('NOT_FOUND', false, 'ignore'),
  /** The database of the corpora cannot be used. */
  CORPUS_UNAVAILABLE: row('UNAVAILABLE', false, 'ignore'),
  UNKNOWN_ENGINE: row('NOT_FOUND', false, 'ignore'),
  ENGINE_EXISTS: row('ALREADY_EXISTS', false, 'ignore'),
  ENGINE_LIMIT: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  SESSION_UNKNOWN: row('NOT_FOUND', false, 'ignore'),
  SESSION_OPEN: row('ALREADY_EXISTS', false, 'ignore'),
  SESSION_STEP: row('ABORTED', false, 'ignore'),
  SESSION_MODEL: row('FAILED_PRECONDITION', false, 'ignore'),
  SESSION_LIMIT: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  ADMIN_FORBIDDEN: row('PERMISSION_DENIED', false, 'ignore'),
  NO_CREDENTIALS: row('UNAUTHENTICATED', false, 'ignore'),
  BAD_CREDENTIALS: row('UNAUTHENTICATED', false, 'ignore'),
  ROLE_MISSING: row('PERMISSION_DENIED', false, 'ignore'),
  /** Another call is teaching that student. */
  STUDENT_BUSY: row('ABORTED', false, 'ignore'),
  STUDENT_FULL: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  /** The log of a student is damaged, or replaying it gives a different state. */
  LOG_UNUSABLE: row('UNAVAILABLE', false, 'ignore'),
  UNKNOWN_STUDENT: row('NOT_FOUND', false, 'ignore'),
  UNKNOWN_OPERATION: row('NOT_FOUND', false, 'ignore'),
  SETTINGS_REFUSED: row('FAILED_PRECONDITION', false, 'ignore'),
  COMPRESSED_FLAG: row('INTERNAL', false, 'ignore'),
  INTERNAL: row('INTERNAL', false, 'ignore'),
} as const satisfies Record<string, KindRow>;

/**
 * Default delay before a retry, milliseconds, for errors where the router refused the request: nothing was done, and the
 * same request may succeed later. Callers get it as google.rpc.RetryInfo, and clients retry (docs/clients.md).
 */
export const RETRY_AFTER_MS: Readonly<Partial<Record<ErrorKind, number>>> = {
  ROUTER_FULL: 100,
  CALLER_LIMIT: 100,
  PUBLISH_RATE: 1_000,
  LOADS_BUSY: 1_000,
  // After this time an open breaker allows a request, and a restarted sidecar is ready.
  NO_ENGINE: 500,
};

export type ErrorKind = keyof typeof ERROR_KINDS;

export function isErrorKind(text: string): text is ErrorKind {
  return Object.hasOwn(ERROR_KINDS, text);
}

/** The resource that was missing when the router refused a request. */
export type Lack = 'ENGINES' | 'CPU' | 'MEMORY';

export interface FieldViolation {
  /** Path in the request message. Example: `encoding[17]`. */
  readonly field: string;
  readonly description: string;
}

interface RouterErrorOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Suggested delay before a retry, milliseconds. Default: RETRY_AFTER_MS. */
  readonly retryAfterMs?: number;
  readonly field?: string;
  /** For ROUTER_FULL. */
  readonly lack?: Lack;
  /** For Engine.recording: the id of the run that an engine refused. */
  readonly recordingId?: bigint;
  readonly cause?: unknown;
}

/** The only error type that crosses layers. Its message is for the caller: what happened and what to do next. */
export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly kind: ErrorKind;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violation: FieldViolation | undefined;
  readonly retryAfterMs: number | undefined;
  readonly lack: Lack | undefined;
  /** From an engine's refusal, for Engine.recording; 0n: the run is not recorded. */
  readonly recordingId: bigint;

  constructor(kind: ErrorKind, message: string, options: RouterErrorOptions = {}) {
    const { stackTraceLimit } = Error;
    // A refusal must be cheap, and the stack is most of the cost of an error. It is only useful for bugs.
    if (kind !== 'INTERNAL') Error.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.kind = kind;
    this.metadata = options.metadata ?? {};
    this.retryAfterMs = options.retryAfterMs ?? RETRY_AFTER_MS[kind];
    this.lack = options.lack;
    this.recordingId = options.recordingId ?? 0n;
    this.violation = options.field === undefined ? undefined : { field: options.field, description: message };
  }

  /** Whether another engine may succeed. */
  get failsOver(): boolean {
    return ERROR_KINDS[this.kind].failsOver;
  }

  /** Converts anything thrown to a RouterError. Unknown errors become INTERNAL and keep their cause for the log. */
  static from(thrown: unknown): RouterError {
    return thrown instanceof RouterError ? thrown : new RouterError('INTERNAL', 'internal error', { cause: thrown });
  }
}
