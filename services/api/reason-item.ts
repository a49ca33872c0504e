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
  /** Name of its caller, for messages of sessions. */
  readonly caller: () => string;
  /** Begins its trace: an item is a request of its own, whose parent is the call's caller. */
  readonly begin: (startedMs: number) => RequestTrace;
  /** Has the last word on the question. */
  readonly adjust?: (question: ReasonQuestion) => ReasonQuestion;
  /** Throws RouterError where the answer cannot be taken. */
  readonly accept?: (answer: ReasonAnswer) => void;
}

export type ItemRouter = Pick<Router, 'reason' | 'reasonTogether' | 'reasonInSession'>;

/** `index`: of the request. Must not throw. */
type OnItemEnd = (index: number, answer: ItemAnswer) => void;

/** Encoded ReasonRequests. Each ends once, in any order, perhaps before this returns. */
export function reasonItems(
  requests: readonly Uint8Array[],
  router: ItemRouter,
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
    // Messages of a session go alone, too, in their order.
    if (item.isSampled || context.signal.aborted || item.question.session !== undefined) alone.push(item);
    else together.push(item);
  }
  if (together.length > 0) beginTogether(together, router, context);
  for (const item of alone) item.goAlone(router, context);
}

function beginTogether(items: readonly ReasonItem[], router: ItemRouter, context: CallContext): void {
  try {
    for (const item of items) item.whenFull = (full) => item.goAlone(router, context, full);
    const left = new Set<GroupedItem>(router.reasonTogether(items, context));
    for (const item of items) if (left.has(item)) item.goAlone(router, context);
  } catch (thrown) {
    for (const item of items) item.ended(RouterError.from(thrown));
  }
}

/** One by itself. Never rejects. */
export function reasonItem(
  bytes: Uint8Array,
  router: ItemRouter,
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
  /** Of one that went with others: how it goes on where the router was full. */
  whenFull: ((full: RouterError) => void) | undefined;
  #requestId = '';
  #hasEnded = false;

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
      const question = toQuestion(request, this.#options.caller);
      this.question = this.#options.adjust?.(question) ?? question;
      return true;
    } catch (thrown) {
      this.#fail(RouterError.from(thrown));
      return false;
    }
  }

  /** `full`: what a full router has said to it already. */
  goAlone(router: ItemRouter, { deadlineMs, signal }: CallContext, full?: RouterError): void {
    this.whenFull = undefined;
    const limits = { deadlineMs, signal, span: this.span };
    const { question } = this;
    const answer =
      question.session === undefined
        ? retryWhileFull(() => router.reason(question, limits), limits, full)
        : router.reasonInSession(question, limits, (attempt) => retryWhileFull(attempt, limits));
    answer.then(
      (answer) => this.ended(answer),
      (thrown: unknown) => this.#fail(RouterError.from(thrown)),
    );
  }

  /** The first end counts. */
  ended(said: ReasonAnswer | RouterError): void {
    if (this.#hasEnded) return;
    if (said instanceof RouterError) {
      if (said.kind === 'ROUTER_FULL' && this.whenFull !== undefined) this.whenFull(said);
      else this.#fail(said);
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
    this.#hasEnded = true;
    observer.requestEnded(type, 'OK', performance.now() - this.#startedMs);
    this.#trace.end();
    this.#onEnd(this.#index, { requestId: this.#requestId, outcome: { $case: 'result', value } });
  }

  #fail(error: RouterError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
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
  attempt: () => Promise<ReasonAnswer>,
  limits: CallContext,
  full?: RouterError,
): Promise<ReasonAnswer> {
  if (full !== undefined) await untilRetry(full, limits);
  for (;;) {
    throwIfCancelled(limits);
    try {
      return await attempt();
    } catch (thrown) {
      await untilRetry(RouterError.from(thrown), limits);
    }
  }
}

/** Rejects with the error where it is another one, or there is no time. */
async function untilRetry(error: RouterError, { deadlineMs, signal }: CallContext): Promise<void> {
  const waitMs = (error.retryAfterMs ?? Infinity) * (1 + Math.random()); // not all of them at the same moment
  if (error.kind !== 'ROUTER_FULL' || performance.now() + waitMs >= deadlineMs) throw error;
  await sleep(waitMs, signal);
}

function decode(bytes: Uint8Array): ReasonRequestWire {
  try {
    checkReason(bytes);
    return decodeReasonRequest(bytes);
  } catch (cause) {
    throw undecodable(cause);
  }
}
