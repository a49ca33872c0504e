// One step of a request's path. It does its part, and answers itself or hands the request to the next one.
import type { Answer } from './answer.ts';
import type { RoutedRequest } from './routed-request.ts';

/** What is left of the path. What it throws or rejects with is a RouterError. */
export type Next = (request: RoutedRequest) => Answer | Promise<Answer>;

export type Stage = (request: RoutedRequest, next: Next) => Answer | Promise<Answer>;

/** What a stage does that always hands the request on, unless it throws. */
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
