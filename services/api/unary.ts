// What every unary handler shares: the caller's deadline and cancellation in, an answer or a status out.
import type * as grpc from '@grpc/grpc-js';
import { Call, deadlinePassed } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import type { OpenCall, OpenCalls } from './open-calls.ts';
import { toStatus } from './status.ts';

export interface UnaryOptions {
  /** Deadline of calls that bring none, and the longest one may bring, milliseconds. */
  readonly timeoutMs: number;
  /** Hears of every error that callers only see as INTERNAL. */
  readonly onInternalError: (path: string, error: RouterError, traceId?: string) => void;
  readonly observer: Observer;
  readonly calls: OpenCalls;
}

/** The caller's clock says first that its deadline has passed, and this is how far its word and ours may be apart. */
const DEADLINE_SLACK_MS = 10;

/** One call: its limits, and what its handler may want to know of it. */
export class UnaryContext extends Call implements OpenCall {
  slot = -1;
  /** On performance.now()'s clock. */
  readonly startedMs: number;
  readonly metadata: grpc.Metadata;
  /** Of calls whose handler has one begun. */
  readonly trace: RequestTrace | undefined;

  constructor(startedMs: number, deadlineMs: number, metadata: grpc.Metadata, trace: RequestTrace | undefined) {
    super(deadlineMs);
    this.startedMs = startedMs;
    this.metadata = metadata;
    this.trace = trace;
  }
}

type UnaryCall<Request> = grpc.ServerUnaryCall<Request, unknown>;

/** `guard` throws where this caller may not make this call; `begin` begins the trace of the call. */
export function unary<Request, Response>(
  options: UnaryOptions,
  handle: (request: Request, context: UnaryContext) => Response | Promise<Response>,
  guard: (call: UnaryCall<unknown>) => void = () => undefined,
  begin: (call: UnaryCall<unknown>, startedMs: number) => RequestTrace | undefined = () => undefined,
): grpc.handleUnaryCall<Request | RouterError, Response> {
  const answer = async (
    call: UnaryCall<Request | RouterError>,
    callback: grpc.sendUnaryData<Response>,
  ): Promise<void> => {
    const startedMs = performance.now();
    const deadlineMs = startedMs + Math.min(remainingMs(call.getDeadline()), options.timeoutMs);
    const context = new UnaryContext(startedMs, deadlineMs, call.metadata, begin(call, startedMs));
    options.calls.opened(context);
    // Raised when the caller leaves, when its deadline passes, and also at the end of every call that went well.
    call.on('cancelled', () => {
      if (context.slot >= 0) context.abort(whyCancelled(deadlineMs));
    });
    let response: Response;
    try {
      if (call.request instanceof RouterError) throw call.request;
      guard(call);
      response = await handle(call.request, context);
    } catch (thrown) {
      callback(toStatus(failed(call, context, RouterError.from(thrown), options)));
      return;
    }
    options.calls.closed(context);
    options.observer.requestEnded(methodOf(call), 'OK', performance.now() - startedMs);
    context.trace?.end();
    callback(null, response);
  };
  return (call, callback) => void answer(call, callback);
}

/** Counts it, and tells of a bug. */
function failed(
  call: UnaryCall<unknown>,
  context: UnaryContext,
  error: RouterError,
  { calls, observer, onInternalError }: UnaryOptions,
): RouterError {
  const { startedMs, trace } = context;
  calls.closed(context);
  observer.requestEnded(methodOf(call), error.kind, performance.now() - startedMs, error.lack);
  trace?.end(error);
  if (error.kind === 'INTERNAL') onInternalError(call.getPath(), error, trace?.traceId);
  return error;
}

/** Why a call was cancelled: its caller left, or its deadline passed, on performance.now()'s clock. */
export function whyCancelled(deadlineMs: number): RouterError {
  return performance.now() >= deadlineMs - DEADLINE_SLACK_MS
    ? deadlinePassed('the answer was ready')
    : new RouterError('CANCELLED', 'the caller cancelled the request');
}

/** "/tandem.v1.ReasoningService/Reason" → "Reason". */
export function methodOf(call: { getPath(): string }): string {
  const path = call.getPath();
  return path.slice(path.lastIndexOf('/') + 1);
}

export function remainingMs(deadline: grpc.Deadline): number {
  return deadline instanceof Date
    ? deadline.getTime() - Date.now()
    : deadline === Infinity
      ? Infinity
      : deadline - Date.now();
}
