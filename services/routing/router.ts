// The whole path of a request, entry to exit:
// find the model → check the input → cached? → admit → plan → ask in turn, hedge, or vote → conclude.
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { VoteSettings } from '../config/vote.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext, Detail } from '../core/inference.ts';
import type { CacheStatusName } from '../core/observer.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { HEDGING, STRATEGIES, type StrategyName, VOTING } from '../strategies/registry.ts';
import { type VotePolicy, tighten } from '../voting/policy.ts';
import { type Admission, freePlaces } from './admission.ts';
import { type Answer, type Grade, toAnswer } from './answer.ts';
import type { AskOptions, Asking, Attempt } from './ask.ts';
import { attemptInTurn } from './attempt.ts';
import { AttemptPlan } from './attempt-plan.ts';
import type { Audit } from './audit.ts';
import { type Found, findServed } from './find-model.ts';
import { hedge } from './hedge.ts';
import type { LatencyQuantile } from './latency-quantile.ts';
import { noEngine } from './no-engine.ts';
import { type ReasonQuestion, questionHash } from './question.ts';
import { type Readiness, demandOf, readiness } from './readiness.ts';
import { easeIn } from './slow-start.ts';
import { checkDetail, validateInput } from './validate.ts';
import { forModel } from './vote-policy.ts';
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
  /** Of votes, where neither model nor request say otherwise. */
  readonly vote: VoteSettings;
  /** Of answers; HEDGED asks a second engine after so long. */
  readonly usualMs: LatencyQuantile;
  readonly audit: Audit;
  readonly admission: Admission;
  /** Requests under way at once before ROUTER_FULL. */
  readonly maxInFlight: number;
  /** An engine that has come later gets its share over so long, milliseconds; 0, or unset: at once. */
  readonly slowStartMs?: number;
  /** Without so many engines the router is not ready; 0, or unset: as many as the vote needs, else one. */
  readonly minEngines?: number;
}

interface Manner {
  readonly strategy: StrategyName;
  /** Undefined: no vote. */
  readonly policy: VotePolicy | undefined;
}

/** What a request may ask for at most. */
const MAX_PARTICIPANTS = 15;

/** When a full router may be asked again, milliseconds. */
const FULL_RETRY_AFTER_MS = 100;

export class Router {
  /** Of requests that name none. */
  strategy: StrategyName;
  readonly #models: ModelRepository;
  readonly #pool: EnginePool;
  readonly #cache: AnswerCache<Answer> | undefined;
  #options: RouterOptions & AskOptions;
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

  /** For requests that come from now on. The strategy stays: `strategy` sets it. */
  configure(options: Partial<RouterOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Whether requests without wishes can be answered now as they should be. */
  get readiness(): Readiness {
    const { vote: settings, minEngines = 0 } = this.#options;
    const { engines } = this.#pool;
    try {
      const { version, engines: holders } = findServed(this.#models, this.#pool, '', 0);
      const policy = VOTING.has(this.strategy) ? forModel(settings, version.vote) : undefined;
      const able = this.#pool.candidates(version.name, version.version, holders);
      const model = `${version.name}/${version.version}`;
      return readiness({ engines, model, able }, demandOf(policy, minEngines));
    } catch (thrown) {
      return { isReady: false, why: RouterError.from(thrown).message };
    }
  }

  /** Rejects with RouterError only. */
  async reason(question: ReasonQuestion, context: CallContext): Promise<ReasonAnswer> {
    const { maxInFlight, observer } = this.#options;
    if (this.#inFlight >= maxInFlight) {
      const message = `${this.#inFlight} requests are under way, the most this router takes (setting max_in_flight); try again in a moment`;
      throw new RouterError('ROUTER_FULL', message, { retryAfterMs: FULL_RETRY_AFTER_MS, lack: 'MEMORY' });
    }
    this.#inFlight += 1;
    try {
      const found = findServed(this.#models, this.#pool, question.model, question.modelVersion);
      validateInput(question.input, found.input);
      checkDetail(question, found.model);
      const manner = this.#manner(question, found);
      context.span?.set('tandem.model', `${found.version.name}/${found.version.version}`);
      context.span?.set('tandem.strategy', manner.strategy);
      const hash = questionHash(found.model.modelId, question.input.data);
      const attempts: Attempt[] = [];
      const looking = context.span?.child('cache');
      const compute = (flight: CallContext): Promise<Answer> => {
        looking?.end();
        return this.#admitted(found, flight, () => this.#compute(question, found, manner, hash, flight, attempts));
      };

      const { value, status } = await this.#cached(question, found, manner, hash, context, compute);

      looking?.set('tandem.cache', status);
      looking?.end();
      observer.cacheUsed(status);
      observer.answered(found.version.name, found.version.version);
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

  /** How the question is to be asked. Throws INVALID_FIELD where a wish for the vote would loosen it. */
  #manner(question: ReasonQuestion, { version }: Found): Manner {
    const strategy = question.strategy ?? (question.vote === undefined ? this.strategy : 'REDUNDANT');
    if (!VOTING.has(strategy)) {
      if (question.vote === undefined) return { strategy, policy: undefined };
      const message = `${strategy} does not vote; leave out "vote", or send strategy STRATEGY_REDUNDANT`;
      throw new RouterError('INVALID_FIELD', message, { field: 'vote' });
    }
    const policy = forModel(this.#options.vote, version.vote);
    return { strategy, policy: tighten(policy, question.vote ?? {}, MAX_PARTICIPANTS) };
  }

  /**
   * The vote stands inside the cache: equal requests never collapse into one ballot, and only what won is kept. A raster
   * may be a thousand times what is asked for again and again, and would drive that out: it passes the cache by.
   */
  async #cached(
    { cache: mode, input, detail = 'SUMMARY' }: ReasonQuestion,
    found: Found,
    { policy }: Manner,
    hash: () => bigint,
    context: CallContext,
    compute: (flight: CallContext) => Promise<Answer>,
  ): Promise<{ value: Answer; status: CacheStatusName }> {
    if (this.#cache === undefined || mode === 'BYPASS' || detail === 'RASTER') {
      return { value: await compute(context), status: 'BYPASSED' };
    }
    const key = { scope: scopeOf(found, input.shape, policy, detail), hash: hash(), data: input.data };
    return await this.#cache.answer(key, mode, context, compute);
  }

  /** Where every engine has enough to do, the request waits, or is refused at once. */
  async #admitted({ version }: Found, context: CallContext, compute: () => Promise<Answer>): Promise<Answer> {
    const { admission } = this.#options;
    const waiting = context.span?.child('queue');
    const turnToCome = admission.enter(version, () => freePlaces(this.#holders(version)), context);
    if (turnToCome !== undefined) await turnToCome;
    waiting?.end();
    let isAnswered = false;
    try {
      const answer = await compute();
      isAnswered = true;
      return answer;
    } finally {
      admission.leave(version, isAnswered);
    }
  }

  async #compute(
    { input, detail = 'SUMMARY' }: ReasonQuestion,
    found: Found,
    { strategy, policy }: Manner,
    hash: () => bigint,
    context: CallContext,
    attempts: Attempt[],
  ): Promise<Answer> {
    const { version } = found;
    const { observer, budget, usualMs, audit, localFirstShare, sidecarFirstShare, slowStartMs = 0 } = this.#options;
    const ready = this.#pool.candidates(version.name, version.version, this.#holders(version));
    if (ready.length === 0) throw noEngine(this.#pool, attempts);

    const turn = this.#nextTurn(strategy);
    const view = { engines: ready, turn, localFirstShare, sidecarFirstShare, random: Math.random, questionHash: hash };
    const how = { strategy, slowStartMs, nowMs: performance.now(), inFlight: this.#inFlight, random: Math.random };
    const eased = easeIn(STRATEGIES[strategy](view), how);
    const plan = policy === undefined ? roomFirst(eased) : eased;
    observer.planned(strategy);
    budget.deposit();

    const asked = { model: version.name, version: version.version, shape: input.shape, data: input.data, detail };
    const asking: Asking = { input: asked, context, options: this.#options, strategy, attempts };
    const forget = (): void => {
      this.#cache?.forget({ scope: scopeOf(found, input.shape, policy, detail), hash: hash(), data: input.data });
    };
    if (policy !== undefined) {
      const voted = await vote(plan, policy, version.readout, asking, (claims) =>
        audit.contradicted(claims, ready, asking, forget, policy.participants),
      );
      return toAnswer(voted, version.readout, strategy);
    }
    const model = `${version.name}/${version.version}`;
    const startedMs = performance.now();
    const attemptPlan = new AttemptPlan(plan, asking);
    try {
      const answered = HEDGING.has(strategy)
        ? await hedge(attemptPlan, usualMs.ofModel(model))
        : await attemptInTurn(attemptPlan);
      usualMs.record(model, performance.now() - startedMs);
      // It may have been put out while it computed: then the cache must not keep what it says.
      const isFirm = attemptPlan.isFirm && answered.engine.quarantine === '';
      return toAnswer({ ...answered, grade: 'SINGLE', isFirm, ballots: [] }, version.readout, strategy);
    } finally {
      audit.maybeAudit(attemptPlan.claims, ready, asking, forget);
    }
  }

  /** Those that hold it now: while a request waits, one may come back. */
  #holders({ name, version }: ModelVersion): readonly PooledEngine[] {
    return this.#pool.holders(name, version);
  }

  #nextTurn(strategy: StrategyName): number {
    const turn = this.#turns.get(strategy) ?? 0;
    this.#turns.set(strategy, turn + 1);
    return turn;
  }
}

/** What an answer depends on besides the input. Who asks for a vote, or for detail, is not content with less of it. */
function scopeOf(
  { version, model: { modelId } }: Found,
  shape: readonly number[],
  policy: VotePolicy | undefined,
  detail: Detail,
): string {
  const grade = policy === undefined ? 'single' : JSON.stringify({ ...policy, mode: undefined });
  return `${version.name}/${version.version} ${modelId} ${shape.join(',')} ${detail} ${grade}`;
}

/** Engines with room first, else as planned. */
function roomFirst(plan: readonly PooledEngine[]): readonly PooledEngine[] {
  if (plan.every(({ free }) => free > 0)) return plan;
  return [...plan.filter(({ free }) => free > 0), ...plan.filter(({ free }) => free <= 0)];
}
