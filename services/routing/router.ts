// The whole path of a request is the list in the constructor below, first to last. Each stage is a file in stages/.
import type { AnswerCache } from '../cache/answer-cache.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { CacheStatusName } from '../core/observer.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { type StrategyName, VOTING } from '../strategies/registry.ts';
import type { Answer, Grade } from './answer.ts';
import type { Attempt } from './attempt.ts';
import { findServed } from './find-model.ts';
import type { RouteOptions, RouterOptions } from './options.ts';
import type { ReasonQuestion } from './question.ts';
import { type Readiness, demandOf, readiness } from './readiness.ts';
import { RoutedRequest } from './routed-request.ts';
import { type Next, chain } from './stage.ts';
import { admit } from './stages/admit.ts';
import { cache } from './stages/cache.ts';
import { execute } from './stages/execute.ts';
import { plan } from './stages/plan.ts';
import { resolve } from './stages/resolve.ts';
import { validate } from './stages/validate.ts';
import { forModel } from './vote-policy.ts';

export interface ReasonAnswer {
  readonly answer: Answer;
  readonly model: ModelVersion;
  readonly cache: CacheStatusName;
  readonly grade: Grade | 'STALE';
  /** Engines asked for this request, in the order in which they ended. */
  readonly attempts: readonly Attempt[];
}

/** When a full router may be asked again, milliseconds. */
const FULL_RETRY_AFTER_MS = 100;
const NO_ATTEMPTS: readonly Attempt[] = [];

export class Router {
  /** Of requests that name none. */
  strategy: StrategyName;
  readonly #models: ModelRepository;
  readonly #pool: EnginePool;
  readonly #answers: AnswerCache<Answer> | undefined;
  readonly #path: Next;
  #options: RouteOptions;
  #inFlight = 0;

  /** Without `answers`, nothing is cached. */
  constructor(
    models: ModelRepository,
    pool: EnginePool,
    answers: AnswerCache<Answer> | undefined,
    options: RouterOptions,
  ) {
    this.strategy = options.strategy;
    this.#models = models;
    this.#pool = pool;
    this.#answers = answers;
    this.#options = { ...options, pool };
    this.#path = chain([
      resolve(models, pool, () => this.strategy), //  model version, strategy and vote policy
      validate, //                                    input against model
      cache(answers), //                              kept, or computed for several callers at once
      admit(pool), //                                 waits while no engine has capacity
      plan(pool, () => this.#inFlight), //            engines in the order of asking
      execute, //                                     failover, hedge or vote
    ]);
  }

  /** Rejects with RouterError only. */
  async reason(question: ReasonQuestion, context: CallContext): Promise<ReasonAnswer> {
    const options = this.#options;
    if (this.#inFlight >= options.maxInFlight) throw full(this.#inFlight);
    this.#inFlight += 1;
    try {
      const request = new RoutedRequest(question, context, options, this.#answers);
      const answer = await this.#path(request);
      const { version } = request.found;
      options.observer.cacheUsed(request.cacheStatus);
      options.observer.answered(version.name, version.version);
      return toReasonAnswer(request, answer);
    } finally {
      this.#inFlight -= 1;
    }
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** For requests that come from now on. The strategy stays: `strategy` sets it. */
  configure(options: Partial<RouterOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Whether requests without wishes can be answered now as they should be. */
  get readiness(): Readiness {
    const { vote: settings, minEngines = 0 } = this.#options;
    const { engines } = this.#pool;
    try {
      const { version, key, engines: holders } = findServed(this.#models, this.#pool, '', 0);
      const policy = VOTING.has(this.strategy) ? forModel(settings, version.vote) : undefined;
      const able = this.#pool.candidates(version.name, version.version, holders);
      return readiness({ engines, model: key, able }, demandOf(policy, minEngines));
    } catch (thrown) {
      return { isReady: false, why: RouterError.from(thrown).message };
    }
  }
}

function toReasonAnswer({ found, cacheStatus, attempts }: RoutedRequest, answer: Answer): ReasonAnswer {
  const isOwn = cacheStatus === 'MISS' || cacheStatus === 'BYPASSED';
  return {
    answer,
    model: found.version,
    cache: cacheStatus,
    grade: cacheStatus === 'STALE' ? 'STALE' : answer.grade,
    // A vote's last ballots may still come: a copy.
    attempts: isOwn ? [...attempts] : NO_ATTEMPTS,
  };
}

function full(inFlight: number): RouterError {
  const message = `${inFlight} requests are under way, the most this router takes (setting max_in_flight); try again in a moment`;
  return new RouterError('ROUTER_FULL', message, { retryAfterMs: FULL_RETRY_AFTER_MS, lack: 'MEMORY' });
}
