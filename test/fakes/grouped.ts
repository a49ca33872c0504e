// Requests of one caller that arrive together, and how each of them ends.
import { Call } from '../../services/core/call.ts';
import { RouterError } from '../../services/core/errors.ts';
import type { CallContext } from '../../services/core/inference.ts';
import type { OpenSpan } from '../../services/core/request-trace.ts';
import type { GroupedItem } from '../../services/routing/group.ts';
import type { ReasonQuestion } from '../../services/routing/question.ts';
import type { ReasonAnswer, Router } from '../../services/routing/router.ts';
import { fakeTracing } from './fake-parts.ts';
import { question } from './router-parts.ts';

export type Said = ReasonAnswer | RouterError;

const tracing = fakeTracing();

interface Grouped {
  /** Outcomes of the grouped requests, in the order in which they ended. */
  readonly said: Said[];
  /** Number of requests that must be sent alone. */
  readonly alone: number;
}

/** Resolves when all grouped requests have ended. */
export async function together(
  router: Router,
  questions: readonly ReasonQuestion[],
  limits: CallContext = new Call(Infinity),
  spanOf: () => OpenSpan | undefined = () => tracing.begin('test', 0, '', '').root,
): Promise<Grouped> {
  const said: Said[] = [];
  let open = questions.length;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const ended = (each: Said): void => {
    said.push(each);
    open -= 1;
    if (open === 0) resolve(undefined);
  };
  const items = questions.map((each): GroupedItem => ({ question: each, span: spanOf(), ended }));
  const alone = router.reasonTogether(items, limits).length;
  open -= alone;
  if (open > 0) await promise;
  return { said, alone };
}

/** The use of the cache, or the kind of the error. */
export const cacheOf = (each: Said): string => (each instanceof RouterError ? each.kind : each.cache);
/** Each attempt, or the kind of the error. */
export const enginesOf = (each: Said): string =>
  each instanceof RouterError
    ? each.kind
    : each.attempts.map(({ engineId, outcome }) => `${engineId} ${outcome}`).join();
export const same = (count: number, over: Partial<ReasonQuestion> = {}): ReasonQuestion[] =>
  Array.from({ length: count }, () => question(over));
/** A question that differs in its first number, and may be cached. */
export const other = (first: number, over: Partial<ReasonQuestion> = {}): ReasonQuestion => {
  const data = Buffer.from(new Float32Array([first, 2, 3]).buffer);
  return question({ cache: 'USE', input: { field: 'encoding', shape: [3], dtype: 'FP32', data }, ...over });
};
