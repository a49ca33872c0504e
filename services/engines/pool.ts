// The engines the router knows, what each holds, and how each has done.
import { ERROR_KINDS, type RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import type { Engine, EngineKind, EngineModel } from './engine.ts';

/** Weight of the newest answer in the mean latency. */
const LATENCY_WEIGHT = 0.1;

export class PooledEngine {
  readonly engine: Engine;
  succeeded = 0;
  failed = 0;
  /** Exponentially weighted mean, milliseconds; 0 until the first answer. */
  latencyMs = 0;
  /** As last described, also while the engine is down. */
  build = '';

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get id(): string {
    return this.engine.id;
  }

  get kind(): EngineKind {
    return this.engine.kind;
  }

  async infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    const startedMs = performance.now();
    try {
      const inference = await this.engine.infer(input, context);
      const tookMs = performance.now() - startedMs;
      this.latencyMs = this.succeeded === 0 ? tookMs : this.latencyMs + LATENCY_WEIGHT * (tookMs - this.latencyMs);
      this.succeeded += 1;
      return inference;
    } catch (error) {
      const { outcome } = ERROR_KINDS[(error as RouterError).kind];
      if (outcome === 'failure') this.failed += 1;
      throw error;
    }
  }
}

/** A model version as the pool can serve it. */
export interface ServedModel {
  readonly model: EngineModel;
  /** Ready engines that hold exactly this model, in pool order. Never empty. */
  readonly engines: readonly PooledEngine[];
}

export class EnginePool {
  readonly engines: readonly PooledEngine[];
  /** "name/version" → who serves it. Rebuilt when an engine changes, so that a request only looks it up. */
  #served = new Map<string, ServedModel>();
  /** "name/version" → why no engine can serve it. */
  #broken = new Map<string, string>();

  constructor(engines: readonly Engine[], onChange: (engine: Engine) => void = () => undefined) {
    this.engines = engines.map((engine) => new PooledEngine(engine));
    for (const pooled of this.engines) {
      pooled.engine.onChange(() => {
        pooled.build = pooled.engine.description?.build ?? pooled.build;
        this.#rebuild();
        onChange(pooled.engine);
      });
    }
  }

  served(name: string, version: number): ServedModel | undefined {
    return this.#served.get(`${name}/${version}`);
  }

  /** Why every engine refuses a model version; undefined if none has said so. */
  brokenReason(name: string, version: number): string | undefined {
    return this.#broken.get(`${name}/${version}`);
  }

  #rebuild(): void {
    const byId = new Map<string, Map<bigint, { model: EngineModel; engines: PooledEngine[] }>>();
    this.#broken = new Map();
    for (const pooled of this.engines) {
      for (const model of pooled.engine.description?.models ?? []) {
        const key = `${model.name}/${model.version}`;
        if (model.error !== '') {
          this.#broken.set(key, model.error);
          continue;
        }
        const ids = byId.get(key) ?? new Map<bigint, { model: EngineModel; engines: PooledEngine[] }>();
        byId.set(key, ids);
        const holders = ids.get(model.modelId) ?? { model, engines: [] };
        ids.set(model.modelId, holders);
        holders.engines.push(pooled);
      }
    }
    // Engines that hold other weights under the same name would answer another question: the model that most engines
    // hold is served, the first in pool order where they are equal.
    this.#served = new Map(
      [...byId].map(([key, ids]) => [
        key,
        [...ids.values()].reduce((a, b) => (b.engines.length > a.engines.length ? b : a)),
      ]),
    );
  }
}
