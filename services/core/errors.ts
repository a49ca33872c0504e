// The one table of what can go wrong. A kind is also the `reason` that clients see in google.rpc.ErrorInfo.
//
// `code` is the gRPC status; `retryable` says whether another engine (or a later try) may succeed; `outcome` is what a
// breaker makes of it: a caller's own fault never counts against an engine. Time-outs are judged one by one: see
// engines/slowness.ts. `fromEngine` says what it means when an engine answers with it:
//
//   state   how the engine is now: believed, because another engine is asked instead
//   claim   something about the input or the model, which the router has checked already: confirmed by another engine
//   never   no engine may answer with it; it becomes ENGINE_FAULT

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
  readonly retryable: boolean;
  readonly outcome: BreakerOutcome;
  readonly fromEngine: 'state' | 'claim' | 'never';
}

const row = (
  code: StatusCode,
  retryable: boolean,
  outcome: BreakerOutcome,
  fromEngine: KindRow['fromEngine'] = 'never',
): KindRow => ({ code, retryable, outcome, fromEngine });

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
  /** What a caller wants loaded cannot be used. */
  MODEL_REFUSED: row('INVALID_ARGUMENT', false, 'ignore'),
  MODEL_EXISTS: row('ALREADY_EXISTS', false, 'ignore'),
  MODEL_TOO_LARGE: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  /** Of engines: how many versions they hold. */
  MODEL_LIMIT: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  /** Of engines: they would hold other weights than the router has read. */
  MODEL_DIFFERS: row('FAILED_PRECONDITION', false, 'ignore'),
  /** An engine could not take a version, so none serves it. */
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
  /** The time of one attempt ran out, and the engine is not to blame. */
  ATTEMPT_TIMEOUT: row('UNAVAILABLE', true, 'ignore'),
  /** An input that is larger than an engine's messages: found by the router, before it sends anything. */
  INPUT_TOO_LARGE: row('RESOURCE_EXHAUSTED', true, 'ignore'),
  NO_ENGINE: row('UNAVAILABLE', false, 'ignore'),
  VOTE_TOO_FEW: row('UNAVAILABLE', false, 'ignore'),
  VOTE_DISPUTED: row('ABORTED', false, 'ignore'),
  UNKNOWN_CORPUS: row('NOT_FOUND', false, 'ignore'),
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
  /** Another call teaches that student. */
  STUDENT_BUSY: row('ABORTED', false, 'ignore'),
  STUDENT_FULL: row('RESOURCE_EXHAUSTED', false, 'ignore'),
  /** The log of a student is damaged, or its examples come to something else. */
  LOG_UNUSABLE: row('UNAVAILABLE', false, 'ignore'),
  UNKNOWN_STUDENT: row('NOT_FOUND', false, 'ignore'),
  UNKNOWN_OPERATION: row('NOT_FOUND', false, 'ignore'),
  SETTINGS_REFUSED: row('FAILED_PRECONDITION', false, 'ignore'),
  COMPRESSED_FLAG: row('INTERNAL', false, 'ignore'),
  INTERNAL: row('INTERNAL', false, 'ignore'),
} as const satisfies Record<string, KindRow>;

export type ErrorKind = keyof typeof ERROR_KINDS;

export function isErrorKind(text: string): text is ErrorKind {
  return Object.hasOwn(ERROR_KINDS, text);
}

/** What a router that refuses a request has too little of. */
export type Lack = 'ENGINES' | 'CPU' | 'MEMORY';

export interface FieldViolation {
  /** Path in the request message. Example: `encoding[17]`. */
  readonly field: string;
  readonly description: string;
}

interface RouterErrorOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** When it makes sense to try again, milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly field?: string;
  /** Of ROUTER_FULL. */
  readonly lack?: Lack;
  /** For Engine.recording: the run that an engine refused to finish. */
  readonly recordingId?: bigint;
  readonly cause?: unknown;
}

/** The only error that travels between floors. Its message is meant for the caller: what happened, what to do next. */
export class RouterError extends Error {
  override readonly name = 'RouterError';
  readonly kind: ErrorKind;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violation: FieldViolation | undefined;
  readonly retryAfterMs: number | undefined;
  readonly lack: Lack | undefined;
  /** Of an engine's refusal, for Engine.recording; 0n: the run is not recorded. */
  readonly recordingId: bigint;

  constructor(kind: ErrorKind, message: string, options: RouterErrorOptions = {}) {
    const { stackTraceLimit } = Error;
    // A refusal must be cheap, and the stack is most of what an error costs. Only a bug's is of use.
    if (kind !== 'INTERNAL') Error.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.kind = kind;
    this.metadata = options.metadata ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.lack = options.lack;
    this.recordingId = options.recordingId ?? 0n;
    this.violation = options.field === undefined ? undefined : { field: options.field, description: message };
  }

  get retryable(): boolean {
    return ERROR_KINDS[this.kind].retryable;
  }

  /** Anything thrown, as a RouterError: what we do not know becomes INTERNAL and keeps its cause for the log. */
  static from(thrown: unknown): RouterError {
    return thrown instanceof RouterError ? thrown : new RouterError('INTERNAL', 'internal error', { cause: thrown });
  }
}
