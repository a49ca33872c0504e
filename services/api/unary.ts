// What every unary handler shares: the caller's deadline and cancellation in, an answer or a status out.
import type * as grpc from '@grpc/grpc-js';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { Observer } from '../core/observer.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import type { OpenCalls } from './open-calls.ts';
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

export interface UnaryContext extends CallContext {
  /** On performance.now()'s clock. */
  readonly startedMs: number;
  readonly metadata: grpc.Metadata;
  /** Of calls whose handler has one begun. */
  readonly trace: RequestTrace | undefined;
}

type UnaryCall = grpc.ServerUnaryCall<unknown, unknown>;

/** `guard` throws where this caller may not make this call; `begin` begins the trace of the call. */
export function unary<Request, Response>(
  options: UnaryOptions,
  handle: (request: Request, context: UnaryContext) => Response | Promise<Response>,
  guard: (call: UnaryCall) => void = () => undefined,
  begin: (call: UnaryCall, startedMs: number) => RequestTrace | undefined = () => undefined,
): grpc.handleUnaryCall<Request | RouterError, Response> {
  return (call, callback) => {
    const startedMs = performance.now();
    const controller = new AbortController();
    const deadlineMs = startedMs + Math.min(remainingMs(call.getDeadline()), options.timeoutMs);
    const trace = begin(call, startedMs);
    let answered = false;
    const cut = (why: RouterError): void => controller.abort(why);
    options.calls.opened(cut);
    // Raised when the caller leaves, when its deadline passes, and also at the end of every call that went well.
    call.on('cancelled', () => {
      if (answered) return;
      controller.abort(whyCancelled(deadlineMs));
    });
    const answer = async (): Promise<Response> => {
      if (call.request instanceof RouterError) throw call.request;
      guard(call);
      const { signal } = controller;
      return await handle(call.request, { startedMs, deadlineMs, signal, metadata: call.metadata, trace });
    };
    answer().then(
      (response) => {
        answered = true;
        options.calls.closed(cut);
        options.observer.requestEnded(methodOf(call), 'OK', performance.now() - startedMs);
        trace?.end();
        callback(null, response);
      },
      (thrown: unknown) => {
        answered = true;
        options.calls.closed(cut);
        const error = RouterError.from(thrown);
        options.observer.requestEnded(methodOf(call), error.kind, performance.now() - startedMs, error.lack);
        trace?.end(error);
        if (error.kind === 'INTERNAL') options.onInternalError(call.getPath(), error, trace?.traceId);
        callback(toStatus(error));
      },
    );
  };
}

/** Why a call was cancelled: its caller left, or its deadline passed, on performance.now()'s clock. */
export function whyCancelled(deadlineMs: number): RouterError {
  return performance.now() >= deadlineMs - DEADLINE_SLACK_MS
    ? new RouterError('DEADLINE_EXCEEDED', 'the deadline passed before the answer was ready')
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
