// Shared by all unary handlers: takes the caller's deadline and cancellation, returns an answer or a status.
import { Call, deadlinePassed } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { Observer } from '../core/observer.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import type { Metadata } from '../grpc/metadata.ts';
import type { CallListener, IncomingCall } from '../grpc/method.ts';
import type { OpenCall, OpenCalls } from './open-calls.ts';
import { toStatus } from './status.ts';

export interface UnaryOptions {
  /** Default deadline of a call, and the maximum, milliseconds. */
  readonly timeoutMs: number;
  /** Called for every error that callers only see as INTERNAL. */
  readonly onInternalError: (path: string, error: RouterError, traceId?: string) => void;
  readonly observer: Observer;
  readonly calls: OpenCalls;
}

/** The caller may see its deadline pass before we do; this is the tolerated difference. */
const DEADLINE_SLACK_MS = 10;

/** One call: its limits, and data for its handler. */
export class UnaryContext extends Call implements OpenCall, CallListener {
  slot = -1;
  /** By performance.now(). */
  readonly startedMs: number;
  readonly metadata: Metadata;
  /** Set if the handler has started a trace. */
  readonly trace: RequestTrace | undefined;

  constructor(
    { startedMs, metadata, owner }: Pick<IncomingCall, 'startedMs' | 'metadata' | 'owner'>,
    deadlineMs: number,
    trace: RequestTrace | undefined,
  ) {
    super(deadlineMs, undefined, owner);
    this.startedMs = startedMs;
    this.metadata = metadata;
    this.trace = trace;
  }

  /** The caller is gone, or its deadline passed. */
  onCut(): void {
    this.abort(whyCancelled(this.deadlineMs));
  }
}

/** `begin` starts the trace of the call. */
export function unary<Request, Response>(
  options: UnaryOptions,
  handle: (request: Request, context: UnaryContext) => Response | Promise<Response>,
  begin: (call: IncomingCall<never>, startedMs: number) => RequestTrace | undefined = () => undefined,
): (call: IncomingCall<Response>, request: Request | RouterError) => void {
  // Made once: a new string would have to be hashed for every look-up.
  let name = '';
  const answer = async (call: IncomingCall<Response>, request: Request | RouterError): Promise<void> => {
    const { startedMs } = call;
    name ||= methodOf(call);
    const deadlineMs = Math.min(call.deadlineMs, startedMs + options.timeoutMs);
    const context = new UnaryContext(call, deadlineMs, begin(call, startedMs));
    options.calls.opened(context);
    call.listener = context;
    let response: Response;
    try {
      if (request instanceof RouterError) throw request;
      response = await handle(request, context);
    } catch (thrown) {
      call.fail(toStatus(failed(call, context, RouterError.from(thrown), options)));
      return;
    }
    options.calls.closed(context);
    const endMs = performance.now();
    options.observer.requestEnded(name, 'OK', endMs - startedMs);
    context.trace?.end(undefined, endMs);
    call.answer(response);
  };
  return (call, request) => void answer(call, request);
}

/** Counts the error, and reports a bug. */
function failed(
  call: IncomingCall<never>,
  context: UnaryContext,
  error: RouterError,
  { calls, observer, onInternalError }: UnaryOptions,
): RouterError {
  const { startedMs, trace } = context;
  calls.closed(context);
  observer.requestEnded(methodOf(call), error.kind, performance.now() - startedMs, error.lack);
  trace?.end(error);
  if (error.kind === 'INTERNAL') onInternalError(call.path, error, trace?.traceId);
  return error;
}

/** Why a call was cancelled: its caller left, or its deadline (by performance.now()) passed. */
export function whyCancelled(deadlineMs: number): RouterError {
  return performance.now() >= deadlineMs - DEADLINE_SLACK_MS
    ? deadlinePassed('the answer was ready')
    : new RouterError('CANCELLED', 'the caller cancelled the request');
}

/** "/tandem.v1.ReasoningService/Reason" → "Reason". */
export function methodOf({ path }: { readonly path: string }): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
