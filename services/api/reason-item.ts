// Inputs within a batch or a stream: whatever is wrong with one is its own error. Those that come together go together, as far
// as the router can do that.
import { randomUUID } from 'node:crypto';
import { throwIfCancelled } from '../core/call.ts';
import { sleep } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { OpenSpan, RequestTrace } from '../core/request-trace.ts';
import type { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { GroupedItem } from '../routing/group.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { ReasonAnswer, Router } from '../routing/router.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { undecodable } from './decoding.ts';
import { type ItemOutcome, encodeResponse } from './reason-encoder.ts';
import { decodeReasonRequest, toQuestion, toReasonError } from './reason-messages.ts';
import { checkReason } from './request-limits.ts';
import { noteAnswer } from './traced.ts';
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

/** `index`: of the request. Must not throw. */
export type OnItemEnd = (index: number, answer: ItemAnswer) => void;

/** Encoded ReasonRequests. Each ends once, in any order, perhaps before this returns. */
export function reasonItems(
  requests: readonly Uint8Array[],
  router: Pick<Router, 'reason' | 'reasonTogether'>,
  context: CallContext,
  options: ItemOptions,
  onEnd: OnItemEnd,
): void {
  const together: ReasonItem[] = [];
  const alone: ReasonItem[] = [];
  for (const [index, bytes] of requests.entries()) {
    const item = new ReasonItem(index, options, onEnd);
    if (!item.read(bytes)) continue;
    // Engines are told of the span that a request is part of: those in the sample each have one of their own.
    if (item.isSampled || context.signal.aborted) alone.push(item);
    else together.push(item);
  }
  const left = together.length === 0 ? together : (router.reasonTogether(together, context) as readonly ReasonItem[]);
  for (const item of left) item.goAlone(router, context);
  for (const item of alone) item.goAlone(router, context);
}

/** One by itself. Never rejects. */
export function reasonItem(
  bytes: Uint8Array,
  router: Pick<Router, 'reason' | 'reasonTogether'>,
  context: CallContext,
  options: ItemOptions,
): Promise<ItemAnswer> {
  return new Promise((resolve) => reasonItems([bytes], router, context, options, (_, answer) => resolve(answer)));
}

class ReasonItem implements GroupedItem {
  question!: ReasonQuestion;
  readonly span: OpenSpan | undefined;
  readonly #index: number;
  readonly #options: ItemOptions;
  readonly #onEnd: OnItemEnd;
  readonly #startedMs = performance.now();
  readonly #trace: RequestTrace;
  #requestId = '';

  constructor(index: number, options: ItemOptions, onEnd: OnItemEnd) {
    this.#index = index;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#trace = options.begin(this.#startedMs);
    this.span = options.tracing.spanOf(this.#trace);
  }

  get isSampled(): boolean {
    return this.#trace.about.isSampled;
  }

  /** False: it has ended, since it is no good request. */
  read(bytes: Uint8Array): boolean {
    try {
      const request = decode(bytes);
      this.#requestId = request.requestId;
      const question = toQuestion(request);
      this.question = this.#options.adjust?.(question) ?? question;
      return true;
    } catch (thrown) {
      this.#fail(RouterError.from(thrown));
      return false;
    }
  }

  goAlone(router: Pick<Router, 'reason'>, { deadlineMs, signal }: CallContext): void {
    retryWhileFull(this.question, router, { deadlineMs, signal, span: this.span }).then(
      (answer) => this.ended(answer),
      (thrown: unknown) => this.#fail(RouterError.from(thrown)),
    );
  }

  ended(said: ReasonAnswer | RouterError): void {
    if (said instanceof RouterError) {
      this.#fail(said);
      return;
    }
    const { accept, observer, type } = this.#options;
    let value: Buffer;
    try {
      accept?.(said);
      noteAnswer(this.span, said);
      this.#requestId ||= randomUUID();
      value = encodeResponse(this.#requestId, said, this.#startedMs, this.#trace.traceId);
    } catch (thrown) {
      this.#fail(RouterError.from(thrown));
      return;
    }
    observer.requestEnded(type, 'OK', performance.now() - this.#startedMs);
    this.#trace.end();
    this.#onEnd(this.#index, { requestId: this.#requestId, outcome: { $case: 'result', value } });
  }

  #fail(error: RouterError): void {
    const { observer, type, onInternalError } = this.#options;
    this.#trace.end(error);
    if (error.kind === 'INTERNAL') onInternalError(type, error, this.#trace.traceId);
    observer.requestEnded(type, error.kind, performance.now() - this.#startedMs, error.lack);
    const outcome = { $case: 'error', value: toReasonError(error) } as const;
    this.#onEnd(this.#index, { requestId: this.#requestId, outcome });
  }
}

/**
 * A full router turns single calls away at once, so that their callers slow down. Items of a batch or a stream are held
 * back by its window already: they wait and try again while there is time.
 */
async function retryWhileFull(
  question: ReasonQuestion,
  router: Pick<Router, 'reason'>,
  limits: CallContext,
): Promise<ReasonAnswer> {
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

function decode(bytes: Uint8Array): ReasonRequestWire {
  try {
    checkReason(bytes);
    return decodeReasonRequest(bytes);
  } catch (cause) {
    throw undecodable(cause);
  }
}
