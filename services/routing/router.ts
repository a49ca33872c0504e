// The path of a request, entry to exit: find the model → check the input → plan → ask engines in turn → conclude.
import { RouterError } from '../core/errors.ts';
import type { CallContext, Inference } from '../core/inference.ts';
import type { EnginePool, PooledEngine } from '../engines/pool.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { STRATEGIES, type StrategyName } from '../strategies/registry.ts';
import { type Attempt, attemptInTurn } from './attempt.ts';
import { type Conclusion, conclude } from './conclusion.ts';
import { findServed } from './find-model.ts';
import { type RawInput, validateInput } from './validate.ts';

export interface ReasonQuestion {
  /** Empty: the default model. */
  readonly model: string;
  /** 0: the latest usable version. */
  readonly modelVersion: number;
  readonly input: RawInput;
  /** Undefined: the server's. */
  readonly strategy: StrategyName | undefined;
}

export interface ReasonAnswer extends Conclusion {
  readonly model: ModelVersion;
  readonly inference: Inference;
  readonly engine: PooledEngine;
  readonly strategy: StrategyName;
  readonly attempts: readonly Attempt[];
}

export interface RouterOptions {
  readonly strategy: StrategyName;
  readonly localShare: number;
  /** Requests under way at once before ROUTER_FULL. */
  readonly maxInFlight: number;
}

export class Router {
  readonly #models: ModelRepository;
  readonly #pool: EnginePool;
  readonly #options: RouterOptions;
  readonly #turns = new Map<StrategyName, number>();
  #inFlight = 0;

  constructor(models: ModelRepository, pool: EnginePool, options: RouterOptions) {
    this.#models = models;
    this.#pool = pool;
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Rejects with RouterError only. */
  async reason(question: ReasonQuestion, context: CallContext): Promise<ReasonAnswer> {
    if (this.#inFlight >= this.#options.maxInFlight) {
      throw new RouterError('ROUTER_FULL', `${this.#inFlight} requests are under way; try again in a moment`);
    }
    this.#inFlight += 1;
    try {
      const {
        version,
        input: spec,
        engines,
      } = findServed(this.#models, this.#pool, question.model, question.modelVersion);
      validateInput(question.input, spec);

      const strategy = question.strategy ?? this.#options.strategy;
      const plan = STRATEGIES[strategy]({
        engines,
        turn: this.#nextTurn(strategy),
        localShare: this.#options.localShare,
      });

      const { shape, data } = question.input;
      const input = { model: version.name, version: version.version, shape, data };
      const { inference, engine, attempts } = await attemptInTurn(plan, input, context);

      return { ...conclude(inference, version.readout), model: version, inference, engine, strategy, attempts };
    } finally {
      this.#inFlight -= 1;
    }
  }

  #nextTurn(strategy: StrategyName): number {
    const turn = this.#turns.get(strategy) ?? 0;
    this.#turns.set(strategy, turn + 1);
    return turn;
  }
}
