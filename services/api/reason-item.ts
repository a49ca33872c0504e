// One input within a batch or a stream: whatever is wrong with it is its own error.
import { randomUUID } from 'node:crypto';
import { throwIfCancelled } from '../core/call.ts';
import { sleep } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { RequestTrace } from '../core/request-trace.ts';
import type { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { ReasonAnswer, Router } from '../routing/router.ts';
import { undecodable } from './decoding.ts';
import { type ItemOutcome, encodeResponse } from './reason-encoder.ts';
import { decodeReasonRequest, toQuestion, toReasonError } from './reason-messages.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { noteAnswer } from './traced.ts';
import { checkReason } from './request-limits.ts';
import type { UnaryOptions } from './unary.ts';

export interface ItemAnswer {
  /** As the request said, or made up for its answer; empty where there is none. */
  readonly requestId: string;
  readonly outcome: ItemOutcome;
}

export interface ItemOptions extends Omit<UnaryOptions, 'timeoutMs' | 'calls'> {
  /** What it is counted as. Example: "ReasonBatch.item". */
  readonly type: string;
  readonly tracing: Tracing;
  /** Begins its trace: an item is a request of its own, whose parent is the call's caller. */
  readonly begin: (startedMs: number) => RequestTrace;
  /** Has the last word on the question. */
  readonly adjust?: (question: ReasonQuestion) => ReasonQuestion;
  /** Throws RouterError where the answer cannot be taken. */
  readonly accept?: (answer: ReasonAnswer) => void;
}

/** Never rejects. */
export async function reasonItem(
  bytes: Uint8Array,
  router: Router,
  context: CallContext,
  { type, tracing, begin, observer, onInternalError, adjust = asAsked, accept }: ItemOptions,
): Promise<ItemAnswer> {
  const startedMs = performance.now();
  const trace = begin(startedMs);
  const { deadlineMs, signal } = context;
  const limits: CallContext = { deadlineMs, signal, span: tracing.spanOf(trace) };
  let requestId = '';
  try {
    const request = read(bytes);
    ({ requestId } = request);
    const answer = await retryWhileFull(adjust(toQuestion(request)), router, limits);
    accept?.(answer);
    noteAnswer(limits.span, answer);
    requestId ||= randomUUID();
    const value = encodeResponse(requestId, answer, startedMs, trace.traceId);
    observer.requestEnded(type, 'OK', performance.now() - startedMs);
    trace.end();
    return { requestId, outcome: { $case: 'result', value } };
  } catch (thrown) {
    const error = RouterError.from(thrown);
    trace.end(error);
    if (error.kind === 'INTERNAL') onInternalError(type, error, trace.traceId);
    observer.requestEnded(type, error.kind, performance.now() - startedMs, error.lack);
    return { requestId, outcome: { $case: 'error', value: toReasonError(error) } };
  }
}

/**
 * A full router turns single calls away at once, so that their callers slow down. Items of a batch or a stream are held
 * back by its window already: they wait and try again while there is time.
 */
async function retryWhileFull(question: ReasonQuestion, router: Router, limits: CallContext): Promise<ReasonAnswer> {
  for (;;) {
    throwIfCancelled(limits);
    try {
      return await router.reason(question, limits);
    } catch (thrown) {
      const error = RouterError.from(thrown);
      const waitMs = (error.retryAfterMs ?? Infinity) * (1 + Math.random()); // not all of them at the same moment
      if (error.kind !== 'ROUTER_FULL' || performance.now() + waitMs >= limits.deadlineMs) throw error;
      await sleep(waitMs, limits.signal);
    }
  }
}

function asAsked(question: ReasonQuestion): ReasonQuestion {
  return question;
}

function read(bytes: Uint8Array): ReasonRequestWire {
  try {
    checkReason(bytes);
    return decodeReasonRequest(bytes);
  } catch (cause) {
    throw undecodable(cause);
  }
}
