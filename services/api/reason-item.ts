// One input within a batch or a stream: whatever is wrong with it is its own error.
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { ReasonError, ReasonResponse } from '../generated/tandem/v1/reasoning.ts';
import type { ReasonRequestWire } from '../generated/tandem/wire/v1/wire.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { Router } from '../routing/router.ts';
import { decodeReasonRequest, toQuestion, toReasonError, toResponse } from './reason-messages.ts';
import { type UnaryOptions, malformed } from './unary.ts';

export type ItemOutcome =
  | { readonly $case: 'result'; readonly value: ReasonResponse }
  | { readonly $case: 'error'; readonly value: ReasonError };

export interface ItemAnswer {
  /** As the request said; empty where it said nothing or could not be read. */
  readonly requestId: string;
  readonly outcome: ItemOutcome;
}

export interface ItemOptions extends UnaryOptions {
  /** What it is counted as. Example: "ReasonBatch.item". */
  readonly type: string;
  /** Has the last word on the question. */
  readonly adjust?: (question: ReasonQuestion) => ReasonQuestion;
}

/** Never rejects. */
export async function reasonItem(
  bytes: Uint8Array,
  router: Router,
  context: CallContext,
  { type, observer, onInternalError, adjust = (question) => question }: ItemOptions,
): Promise<ItemAnswer> {
  const startedMs = performance.now();
  let requestId = '';
  try {
    const request = read(bytes);
    ({ requestId } = request);
    if (context.signal.aborted) throw RouterError.from(context.signal.reason);
    const answer = await router.reason(adjust(toQuestion(request)), context);
    const value = toResponse(requestId, answer, startedMs);
    observer.requestEnded(type, 'OK', performance.now() - startedMs);
    return { requestId: value.requestId, outcome: { $case: 'result', value } };
  } catch (thrown) {
    const error = RouterError.from(thrown);
    if (error.kind === 'INTERNAL') onInternalError(type, error);
    observer.requestEnded(type, error.kind, performance.now() - startedMs);
    return { requestId, outcome: { $case: 'error', value: toReasonError(error) } };
  }
}

function read(bytes: Uint8Array): ReasonRequestWire {
  try {
    return decodeReasonRequest(bytes);
  } catch (cause) {
    throw malformed(cause);
  }
}
