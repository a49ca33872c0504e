// The whole path of a request, entry to exit:
// find the model → check the input → cached? → plan → ask in turn, or vote → conclude.
import type { AnswerCache } from '../cache/answer-cache.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { CacheStatusName } from '../core/observer.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { STRATEGIES, type StrategyName, VOTING } from '../strategies/registry.ts';
import { type Answer, type Grade, toAnswer } from './answer.ts';
import type { AskOptions, Attempt } from './ask.ts';
import { attemptInTurn } from './attempt.ts';
import { type Found, findServed } from './find-model.ts';
import { noEngine } from './no-engine.ts';
import { type ReasonQuestion, questionHash } from './question.ts';
import { validateInput } from './validate.ts';
import { vote } from './vote.ts';

export interface ReasonAnswer {
  readonly answer: Answer;
  readonly model: ModelVersion;
  readonly cache: CacheStatusName;
  readonly grade: Grade | 'STALE';
  /** Engines asked for this request, in the order in which they ended. */
  readonly attempts: readonly Attempt[];
}

export interface RouterOptions extends Omit<AskOptions, 'pool'> {
  readonly strategy: StrategyName;
  readonly localFirstShare: number;
  readonly sidecarFirstShare: number;
  /** Engines that REDUNDANT asks. */
  readonly participants: number;
  /** Requests under way at once before ROUTER_FULL. */
  readonly maxInFlight: number;
}

/** When a full router may be asked again, milliseconds. */
const FULL_RETRY_AFTER_MS = 100;

export class Router {
  /** Of requests that name none. */
  strategy: StrategyName;
  readonly #models: ModelRepository;
  readonly #pool: EnginePool;
  readonly #cache: AnswerCache<Answer> | undefined;
  readonly #options: RouterOptions & AskOptions;
  readonly #turns = new Map<StrategyName, number>();
  #inFlight = 0;

  /** Without `cache`, nothing is cached. */
  constructor(
    models: ModelRepository,
    pool: EnginePool,
    cache: AnswerCache<Answer> | undefined,
    options: RouterOptions,
  ) {
    this.strategy = options.strategy;
    this.#models = models;
    this.#pool = pool;
    this.#cache = cache;
    this.#options = { ...options, pool };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Rejects with RouterError only. */
  async reason(question: ReasonQuestion, context: CallContext): Promise<ReasonAnswer> {
    const { maxInFlight, observer } = this.#options;
    if (this.#inFlight >= maxInFlight) {
      const message = `${this.#inFlight} requests are under way, the most this router takes; try again in a moment`;
      throw new RouterError('ROUTER_FULL', message, { retryAfterMs: FULL_RETRY_AFTER_MS });
    }
    this.#inFlight += 1;
    try {
      const found = findServed(this.#models, this.#pool, question.model, question.modelVersion);
      validateInput(question.input, found.input);
      const strategy = question.strategy ?? this.strategy;
      const hash = questionHash(found.modelId, question.input.data);
      const attempts: Attempt[] = [];
      const compute = (flight: CallContext): Promise<Answer> =>
        this.#compute(question, found, strategy, hash, flight, attempts);

      const { value, status } = await this.#cached(question, found, strategy, hash, context, compute);

      observer.cacheUsed(status);
      const isOurs = status === 'MISS' || status === 'BYPASSED';
      return {
        answer: value,
        model: found.version,
        cache: status,
        grade: status === 'STALE' ? 'STALE' : value.grade,
        attempts: isOurs ? [...attempts] : [],
      };
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** The vote stands inside the cache: equal requests never collapse into one ballot, and only what won is kept. */
  async #cached(
    { cache: mode, input }: ReasonQuestion,
    { version, modelId }: Found,
    strategy: StrategyName,
    hash: () => bigint,
    context: CallContext,
    compute: (flight: CallContext) => Promise<Answer>,
  ): Promise<{ value: Answer; status: CacheStatusName }> {
    if (this.#cache === undefined || mode === 'BYPASS') return { value: await compute(context), status: 'BYPASSED' };
    // Who asks for a vote is not content with one engine's word.
    const grade = VOTING.has(strategy) ? 'voted' : 'single';
    const scope = `${version.name}/${version.version} ${modelId} ${input.shape.join(',')} ${grade}`;
    return await this.#cache.answer({ scope, hash: hash(), data: input.data }, mode, context, compute);
  }

  async #compute(
    { input }: ReasonQuestion,
    { version, engines }: Found,
    strategy: StrategyName,
    hash: () => bigint,
    context: CallContext,
    attempts: Attempt[],
  ): Promise<Answer> {
    const { observer, budget, participants, localFirstShare, sidecarFirstShare } = this.#options;
    const ready = engines.every(({ admits }) => admits) ? engines : engines.filter(({ admits }) => admits);
    if (ready.length === 0) throw noEngine(this.#pool, attempts);

    const turn = this.#nextTurn(strategy);
    const view = { engines: ready, turn, localFirstShare, sidecarFirstShare, random: Math.random, questionHash: hash };
    const plan = STRATEGIES[strategy](view);
    observer.planned(strategy);
    budget.deposit();

    const asked = { model: version.name, version: version.version, shape: input.shape, data: input.data };
    const asking = { input: asked, context, options: this.#options, attempts };
    const answered = VOTING.has(strategy)
      ? await vote(plan, participants, asking)
      : { ...(await attemptInTurn(plan, asking)), grade: 'SINGLE' as const, ballots: [] };
    return toAnswer(answered, version.readout, strategy);
  }

  #nextTurn(strategy: StrategyName): number {
    const turn = this.#turns.get(strategy) ?? 0;
    this.#turns.set(strategy, turn + 1);
    return turn;
  }
}
