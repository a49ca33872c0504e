// The whole path of a request is the list in the constructor below, first to last. Each stage is a file in stages/.
import type { AnswerCache } from '../cache/answer-cache.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionStore } from '../sessions/session-store.ts';
import { type StrategyName, VOTING } from '../strategies/registry.ts';
import type { Answer } from './answer.ts';
import { findServed } from './find-model.ts';
import { type Attempt, atItsTurn } from './session-path.ts';
import { GroupPath, type GroupedItem } from './group.ts';
import { LateAttempts } from './late-attempts.ts';
import type { RouteOptions, RouterOptions } from './options.ts';
import type { ReasonQuestion } from './question.ts';
import { type Readiness, demandOf, readiness } from './readiness.ts';
import { type ReasonAnswer, toReasonAnswer } from './reason-answer.ts';
import { RoutedRequest } from './routed-request.ts';
import { type Next, chain, stageOf } from './stage.ts';
import { admit, freeOf } from './stages/admit.ts';
import { cache } from './stages/cache.ts';
import { execute } from './stages/execute.ts';
import { inSession } from './stages/in-session.ts';
import { plan } from './stages/plan.ts';
import { resolve } from './stages/resolve.ts';
import { validate } from './stages/validate.ts';
import { forModel } from './vote-policy.ts';

export type { ReasonAnswer } from './reason-answer.ts';

export class Router {
  /** Of requests that name none. */
  strategy: StrategyName;
  readonly #models: ModelRepository;
  readonly #pool: EnginePool;
  readonly #answers: AnswerCache<Answer> | undefined;
  readonly #path: Next;
  readonly #sessions: SessionStore;
  readonly #sessionPath: Next;
  readonly #groups: GroupPath;
  #options: RouteOptions;
  readonly #load = { inFlight: 0 };

  /** Without `answers`, nothing is cached. */
  constructor(
    models: ModelRepository,
    pool: EnginePool,
    answers: AnswerCache<Answer> | undefined,
    sessions: SessionStore,
    options: RouterOptions,
  ) {
    this.strategy = options.strategy;
    this.#models = models;
    this.#pool = pool;
    this.#answers = answers;
    this.#sessions = sessions;
    this.#options = { ...options, pool, lateAttempts: new LateAttempts() };
    const resolving = resolve(models, pool, () => this.strategy);
    const planning = plan(pool, () => this.inFlight);
    const free = freeOf(pool);
    this.#path = chain([
      stageOf(resolving), // model version, strategy and vote policy
      stageOf(validate), //  input against model
      cache(answers), //     kept, or computed for several callers at once
      admit(free), //        waits while no engine has capacity
      stageOf(planning), //  engines in the order of asking
      execute, //            failover, hedge or vote
    ]);
    // Neither cached nor shared: a message's answer depends on the messages before it.
    this.#sessionPath = chain([
      stageOf(resolving),
      stageOf(validate),
      inSession(sessions), // from the session's state; then the session goes on from the answer
      admit(free),
      stageOf(planning),
      execute,
    ]);
    this.#groups = new GroupPath({ resolve: resolving, validate, answers, free, plan: planning, load: this.#load });
  }

  /** Rejects with RouterError only. */
  reason(question: ReasonQuestion, context: CallContext): Promise<ReasonAnswer> {
    if (question.session !== undefined) return this.reasonInSession(question, context);
    return this.#answer(question, context, this.#path);
  }

  /** A message of a session. `repeat` may retry, since the messages after it wait. Rejects with RouterError only. */
  reasonInSession(
    question: ReasonQuestion,
    context: CallContext,
    repeat: (attempt: Attempt) => Promise<ReasonAnswer> = (attempt) => attempt(),
  ): Promise<ReasonAnswer> {
    const answer = (question: ReasonQuestion, session: Session): Promise<ReasonAnswer> =>
      this.#answer(question, context, this.#sessionPath, session);
    return atItsTurn(this.#sessions, question, context, answer, repeat);
  }

  async #answer(question: ReasonQuestion, context: CallContext, path: Next, session?: Session): Promise<ReasonAnswer> {
    const refusal = this.#refusal(1, context);
    if (refusal !== undefined) throw refusal;
    this.#load.inFlight += 1;
    const request = new RoutedRequest(question, context, this.#options, this.#answers);
    request.session = session;
    try {
      return this.#answered(request, await path(request));
    } finally {
      request.end();
      this.#load.inFlight -= 1;
      request.options.overload.recordEnd();
    }
  }

  #answered(request: RoutedRequest, answer: Answer): ReasonAnswer {
    const { observer } = request.options;
    const { version } = request.found;
    observer.cacheUsed(request.cacheStatus);
    observer.answered(version.name, version.version);
    return toReasonAnswer(request, answer);
  }

  /**
   * Runs requests of one caller that arrived together, without a promise for each. Each ends once, possibly before this
   * returns. The returned requests were not run: pass each to `reason`.
   */
  reasonTogether(items: readonly GroupedItem[], context: CallContext): readonly GroupedItem[] {
    if (this.#refusal(items.length, context) !== undefined) return items;
    return this.#groups.begin(items, context, this.#options);
  }

  get inFlight(): number {
    return this.#load.inFlight;
  }

  #refusal(requests: number, { deadlineMs }: CallContext): RouterError | undefined {
    const { overload, maxInFlight } = this.#options;
    const { inFlight } = this.#load;
    return overload.refusal(inFlight, deadlineMs) ?? (inFlight + requests > maxInFlight ? full(inFlight) : undefined);
  }

  /** Applies to new requests. The strategy stays: `strategy` sets it. */
  configure(options: Partial<RouterOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Whether default requests can be fully answered now. */
  get readiness(): Readiness {
    const { vote: settings, minEngines = 0 } = this.#options;
    const { engines } = this.#pool;
    try {
      const { version, key, engines: holders } = findServed(this.#models, this.#pool, '', 0);
      const policy = VOTING.has(this.strategy) ? forModel(settings, version.vote) : undefined;
      const able = this.#pool.candidates(version.heldAs, version.version, holders);
      return readiness({ engines, model: key, able }, demandOf(policy, minEngines));
    } catch (thrown) {
      return { isReady: false, why: RouterError.from(thrown).message };
    }
  }
}

function full(inFlight: number): RouterError {
  const message = `${inFlight} requests are under way, the most this router takes (setting max_in_flight); try again in a moment`;
  return new RouterError('ROUTER_FULL', message, { lack: 'MEMORY' });
}
