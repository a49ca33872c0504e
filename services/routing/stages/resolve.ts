// Resolve: finds the model version, the strategy and the vote policy of the request.
import { RouterError } from '../../core/errors.ts';
import type { EnginePool } from '../../engines/pool.ts';
import type { ModelRepository } from '../../models/repository.ts';
import { type StrategyName, VOTING } from '../../strategies/registry.ts';
import { type VotePolicy, tighten } from '../../voting/policy.ts';
import { findServed } from '../find-model.ts';
import type { RoutedRequest } from '../routed-request.ts';
import type { Step } from '../stage.ts';
import { forModel } from '../vote-policy.ts';

/** Limits on a request's options. */
const MAX_PARTICIPANTS = 15;

/**
 * `defaultStrategy`: current strategy of requests that name none. Throws the errors of find-model.ts and text-input.ts,
 * or INVALID_FIELD.
 */
export function resolve(models: ModelRepository, pool: EnginePool, defaultStrategy: () => StrategyName): Step {
  return (request) => {
    const { question, context } = request;
    const wanted = question.text === undefined ? question.model : question.model || models.textModel;
    const found = findServed(models, pool, wanted, question.modelVersion);
    request.begin(found);
    request.strategy = question.strategy ?? (question.vote === undefined ? defaultStrategy() : 'REDUNDANT');
    request.policy = policyOf(request);
    if (context.span !== undefined) {
      context.span.set('tandem.model', found.key);
      context.span.set('tandem.strategy', request.strategy);
    }
  };
}

/** Undefined: no vote. Throws INVALID_FIELD if the request would loosen the vote policy. */
function policyOf({ strategy, question, found, options }: RoutedRequest): VotePolicy | undefined {
  if (!VOTING.has(strategy)) {
    if (question.vote === undefined) return undefined;
    const message = `${strategy} does not vote; leave out "vote", or send strategy STRATEGY_REDUNDANT`;
    throw new RouterError('INVALID_FIELD', message, { field: 'vote' });
  }
  return tighten(forModel(options.vote, found.version.vote), question.vote ?? {}, MAX_PARTICIPANTS);
}
