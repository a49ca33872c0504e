// Items of a batch or a stream. A fault in one item is that item's error only. Items that arrive together are executed
// together where possible.
import { throwIfCancelled } from '../core/call.ts';
import { sleep } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import { randomUuid } from '../core/random-uuid.ts';
import type { OpenSpan, RequestTrace } from '../core/request-trace.ts';
import type { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { GroupedItem } from '../routing/group.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { ReasonAnswer, Router } from '../routing/router.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { undecodable } from './decoding.ts';
import { type ItemOutcome, encodeResponse } from './reason-encoder.ts';
import { readReasonRequest, toQuestion, toReasonError } from './reason-messages.ts';
import { noteAnswer } from './traced.ts';
import type { UnaryOptions } from './unary.ts';

export interface ItemAnswer {
  /** From the request, or generated for the answer; empty if there is none. */
  readonly requestId: string;
  readonly outcome: ItemOutcome;
}

export interface ItemOptions extends Omit<UnaryOptions, 'timeoutMs' | 'calls'> {
  /** The name under which it is counted. Example: "ReasonBatch.item". */
  readonly type: string;
  readonly tracing: Tracing;
  /** Name of the caller, for messages of sessions. */
  readonly caller: () => string;
  /** Starts the item's trace: an item is a separate request whose parent is the call's caller. */
  readonly begin: (startedMs: number) => RequestTrace;
  /** May change the question last. */
  readonly adjust?: (question: ReasonQuestion) => ReasonQuestion;
  /** Throws RouterError if the answer cannot be used. */
  readonly accept?: (answer: ReasonAnswer) => void;
}

export type ItemRouter = Pick<Router, 'reason' | 'reasonTogether' | 'reasonInSession'>;

/** `index`: index of the request. Must not throw. */
type OnItemEnd = (index: number, answer: ItemAnswer) => void;

/** Runs encoded ReasonRequests. Each ends exactly once, in any order, possibly before this returns. */
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
    // Traced items run alone, because engines get the span of each. Messages of a session also run alone, in order.
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

/** Runs one item alone. Never rejects. */
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
  /** For an item of a group: retries if the router was full. */
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

  /** False: it has ended, because the request is invalid. */
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

  /** `full`: the error that a full router has already given it. */
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

  /** Only the first end counts. */
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
      this.#requestId ||= randomUuid();
      value = encodeResponse(this.#requestId, said, this.#startedMs, this.#trace.traceId);
    } catch (thrown) {
      this.#fail(RouterError.from(thrown));
      return;
    }
    this.#hasEnded = true;
    const endMs = performance.now();
    observer.requestEnded(type, 'OK', endMs - this.#startedMs);
    this.#trace.end(undefined, endMs);
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
 * A full router refuses single calls at once, so that their callers slow down. Items of a batch or a stream are already
 * limited by its window: they wait and try again while there is time.
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

/** Rejects with the error if it is a different one, or if there is no time. */
async function untilRetry(error: RouterError, { deadlineMs, signal }: CallContext): Promise<void> {
  const waitMs = (error.retryAfterMs ?? Infinity) * (1 + Math.random()); // jitter, so that they do not all retry at the same time
  if (error.kind !== 'ROUTER_FULL' || performance.now() + waitMs >= deadlineMs) throw error;
  await sleep(waitMs, signal);
}

function decode(bytes: Uint8Array): ReasonRequestWire {
  try {
    return readReasonRequest(bytes);
  } catch (cause) {
    throw undecodable(cause);
  }
}
