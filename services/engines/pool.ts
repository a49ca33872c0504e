// The engines the router knows, and which of them hold what. Engines come and go while it runs.
import { RouterError } from '../core/errors.ts';
import type { BreakerEvent, BreakerOptions } from './breaker.ts';
import type { Engine, EngineModel } from './engine.ts';
import type { ModelPins } from './model-pins.ts';
import { Panic, type PanicEvent } from './panic.ts';
import { PooledEngine } from './pooled-engine.ts';

export const MAX_ENGINES = 256;

/** A model version as the pool can serve it. */
export interface ServedModel {
  /** As its holders describe it, or described it last. */
  readonly model: EngineModel;
  /** Ready engines that hold exactly this model, in pool order. Empty once all have gone. */
  readonly engines: readonly PooledEngine[];
}

export interface PoolEvents {
  /** An engine came up, went down, drains or was readmitted. */
  engineChanged(engine: PooledEngine): void;
  breakerChanged(engine: PooledEngine, event: BreakerEvent): void;
  engineRemoved(engine: PooledEngine): void;
  /** A model's breakers are ignored from now on, or heeded again. */
  panicChanged(event: PanicEvent): void;
}

export class EnginePool {
  readonly #pins: ModelPins;
  readonly #breaker: BreakerOptions;
  readonly #events: Partial<PoolEvents>;
  readonly #panic: Panic;
  #engines: readonly PooledEngine[] = [];
  /** "name/version" → who serves it. Rebuilt when an engine changes, so that a request only looks it up. */
  #served = new Map<string, ServedModel>();
  /** "name/version" → why no engine can serve it. */
  #broken = new Map<string, string>();

  /**
   * `pins`: the models of the repository, which engines are held against. `panicPercent`: with fewer of a model's breakers
   * closed they are ignored; 0: never.
   */
  constructor(pins: ModelPins, breaker: BreakerOptions, events: Partial<PoolEvents> = {}, panicPercent = 0) {
    this.#pins = pins;
    this.#breaker = breaker;
    this.#events = events;
    this.#panic = new Panic(panicPercent, (event) => this.#events.panicChanged?.(event));
  }

  configure({ panicPercent }: { readonly panicPercent: number }): void {
    this.#panic.configure(panicPercent);
    this.#panic.check(this.#served, this.#engines);
  }

  /** In the order they were added. */
  get engines(): readonly PooledEngine[] {
    return this.#engines;
  }

  /** Throws ENGINE_EXISTS or ENGINE_LIMIT. Starting the engine is the caller's business. */
  add(engine: Engine): PooledEngine {
    if (this.#engines.some(({ id }) => id === engine.id)) {
      const message = `there is an engine "${engine.id}" already; remove it first, or choose another id`;
      throw new RouterError('ENGINE_EXISTS', message, { field: 'engine_id' });
    }
    if (this.#engines.length >= MAX_ENGINES) {
      throw new RouterError('ENGINE_LIMIT', `there are ${MAX_ENGINES} engines, the most there can be; remove one`);
    }
    const pooled = new PooledEngine(engine, this.#pins, this.#breaker, (event) => {
      this.#events.breakerChanged?.(pooled, event);
      this.#panic.check(this.#served, this.#engines);
    });
    this.#engines = [...this.#engines, pooled];
    let wasUp = engine.description !== undefined;
    pooled.limit.cap(engine.description?.maxInFlight ?? 0);
    engine.onChange(() => {
      const { description, downReason } = engine;
      pooled.build = description?.build ?? pooled.build;
      pooled.limit.cap(description?.maxInFlight ?? 0);
      if (wasUp && description === undefined) pooled.breaker.trip(downReason);
      if (!wasUp && description !== undefined) pooled.readySinceMs = performance.now();
      wasUp = description !== undefined;
      this.#changed(pooled);
    });
    if (wasUp) this.#changed(pooled);
    return pooled;
  }

  /** No request is planned on it any more; stopping the engine is the caller's business. Throws UNKNOWN_ENGINE. */
  remove(id: string): PooledEngine {
    const pooled = this.find(id);
    this.#engines = this.#engines.filter((each) => each !== pooled);
    pooled.breaker.stop();
    pooled.isDraining = true;
    this.#rebuild();
    this.#events.engineRemoved?.(pooled);
    return pooled;
  }

  setDraining(pooled: PooledEngine, isDraining: boolean): void {
    pooled.isDraining = isDraining;
    this.#changed(pooled);
  }

  /** `why` empty: it is trusted again. */
  setQuarantine(pooled: PooledEngine, why: string): void {
    pooled.quarantine = why;
    this.#changed(pooled);
  }

  /** Throws UNKNOWN_ENGINE. */
  find(id: string): PooledEngine {
    const pooled = this.#engines.find((each) => each.id === id);
    if (pooled !== undefined) return pooled;
    const known = this.#engines.map((each) => each.id).join(', ');
    const message = `there is no engine "${id.slice(0, 64)}"; there are: ${known || 'none'}`;
    throw new RouterError('UNKNOWN_ENGINE', message, { field: 'engine_id' });
  }

  /** Undefined until an engine has described it. */
  served(name: string, version: number): ServedModel | undefined {
    return this.#served.get(`${name}/${version}`);
  }

  /** Of `engines`, which hold a model version, those that may be asked now. */
  candidates(name: string, version: number, engines: readonly PooledEngine[]): readonly PooledEngine[] {
    const panics = this.#panic.has(`${name}/${version}`);
    const mayBeAsked = ({ admits, breaker }: PooledEngine): boolean => admits && (panics || breaker.admits);
    return engines.every(mayBeAsked) ? engines : engines.filter(mayBeAsked);
  }

  /** Whoever is there now is not new. */
  settle(): void {
    for (const pooled of this.#engines) pooled.readySinceMs = -Infinity;
  }

  /** Why every engine refuses a model version; undefined if none has said so. */
  brokenReason(name: string, version: number): string | undefined {
    return this.#broken.get(`${name}/${version}`);
  }

  #changed(pooled: PooledEngine): void {
    this.#rebuild();
    this.#events.engineChanged?.(pooled);
  }

  #rebuild(): void {
    const byId = new Map<string, Map<bigint, { model: EngineModel; engines: PooledEngine[] }>>();
    this.#broken = new Map();
    for (const pooled of this.#engines) {
      if (pooled.state !== 'READY') continue;
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
    // What was served stays known when its engines have gone, so that the cache can still answer.
    const served = new Map<string, ServedModel>(
      [...this.#served].map(([key, { model }]) => [key, { model, engines: [] }]),
    );
    // Engines that hold other weights under the same name would answer another question: the model that most engines
    // hold is served, the first in pool order where they are equal.
    for (const [key, ids] of byId) {
      served.set(
        key,
        [...ids.values()].reduce((a, b) => (b.engines.length > a.engines.length ? b : a)),
      );
    }
    this.#served = served;
    this.#panic.check(served, this.#engines);
  }
}
