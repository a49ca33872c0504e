// One step of the request path. It answers the request itself or passes it to the next one.
import type { Answer } from './answer.ts';
import type { RoutedRequest } from './routed-request.ts';

/** The rest of the path. Throws and rejects with RouterError only. */
export type Next = (request: RoutedRequest) => Answer | Promise<Answer>;

export type Stage = (request: RoutedRequest, next: Next) => Answer | Promise<Answer>;

/** A stage that always passes the request on, unless it throws. */
export type Step = (request: RoutedRequest) => void;

export function stageOf(step: Step): Stage {
  return (request, next) => {
    step(request);
    return next(request);
  };
}

/** The stages, first to last, as one function. The last one must not call `next`. */
export function chain(stages: readonly Stage[]): Next {
  return stages.reduceRight<Next>((next, stage) => (request) => stage(request, next), pathEnded);
}

function pathEnded(): never {
  throw new Error('the last stage handed the request on');
}
