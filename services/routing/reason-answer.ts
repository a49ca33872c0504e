// The result of a request: its answer, and data of this request only.
import type { CacheStatusName } from '../core/observer.ts';
import type { ModelVersion } from '../models/repository.ts';
import type { Answer, Grade } from './answer.ts';
import type { Attempt } from './attempt.ts';
import type { RoutedRequest } from './routed-request.ts';
import type { SessionStatus } from './session-status.ts';

export interface ReasonAnswer {
  readonly answer: Answer;
  readonly model: ModelVersion;
  readonly cache: CacheStatusName;
  readonly grade: Grade | 'STALE';
  /** Attempts of this request, in the order in which they ended. */
  readonly attempts: readonly Attempt[];
  readonly session?: SessionStatus | undefined;
}

const NO_ATTEMPTS: readonly Attempt[] = [];

export function toReasonAnswer(
  { found, cacheStatus, attempts, sessionStatus }: RoutedRequest,
  answer: Answer,
): ReasonAnswer {
  const isOwn = cacheStatus === 'MISS' || cacheStatus === 'BYPASSED';
  return {
    answer,
    model: found.version,
    cache: cacheStatus,
    grade: cacheStatus === 'STALE' ? 'STALE' : answer.grade,
    // A copy, because the last ballots of a vote may still arrive.
    attempts: isOwn ? [...attempts] : NO_ATTEMPTS,
    session: sessionStatus,
  };
}
