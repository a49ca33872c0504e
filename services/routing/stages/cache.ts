// Cache: returns the answer if an equal question was answered before or is being computed. The vote comes after this
// stage, so equal requests never share a ballot, and only winning answers are cached.
import type { AnswerCache } from '../../cache/answer-cache.ts';
import type { CallContext } from '../../core/inference.ts';
import type { OpenSpan } from '../../core/request-trace.ts';
import type { Answer } from '../answer.ts';
import type { RoutedRequest } from '../routed-request.ts';
import type { Next, Stage } from '../stage.ts';

/** Without `answers`, nothing is cached. */
export function cache(answers: AnswerCache<Answer> | undefined): Stage {
  return (request, next) => {
    const { question, input } = request;
    // A raster may be a thousand times larger than usual answers and would evict them.
    if (answers === undefined || question.cache === 'BYPASS' || input.detail === 'RASTER') return next(request);
    const span = request.context.span?.child('cache');
    const { cacheKey } = request;
    const kept = question.cache === 'USE' ? answers.fresh(cacheKey) : undefined;
    if (kept === undefined) return compute(answers, question.cache, request, span, next);
    request.cacheStatus = 'HIT';
    endSpan(span, request);
    return kept;
  };
}

async function compute(
  answers: AnswerCache<Answer>,
  use: 'USE' | 'REFRESH',
  request: RoutedRequest,
  span: OpenSpan | undefined,
  next: Next,
): Promise<Answer> {
  // Other callers may wait for it, too, so its limits may differ from this caller's.
  const run = async (limits: CallContext): Promise<Answer> => {
    span?.end();
    request.context = limits;
    return await next(request);
  };
  const { value, status } = await answers.compute(request.cacheKey, use, request.context, run);
  request.cacheStatus = status;
  endSpan(span, request);
  return value;
}

function endSpan(span: OpenSpan | undefined, { cacheStatus }: RoutedRequest): void {
  span?.set('tandem.cache', cacheStatus);
  span?.end();
}
