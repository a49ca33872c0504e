// The engines of the router and the models that they hold. Engines are added and removed while it runs.
import { RouterError } from '../core/errors.ts';
import { versionKey } from '../core/version-key.ts';
import type { BreakerEvent, BreakerOptions } from './breaker.ts';
import { findDuplicates } from './duplicates.ts';
import type { Engine } from './engine.ts';
import type { ModelPins, PinnedModel } from './model-pins.ts';
import { checkModels, whyUnusable } from './model-problems.ts';
import { Panic, type PanicEvent } from './panic.ts';
import { type FindHolders, PooledEngine } from './pooled-engine.ts';

export const MAX_ENGINES = 256;

/** A model version with the engines that serve it. */
export interface ServedModel {
  /** From the repository. */
  readonly model: PinnedModel;
  /** Ready engines that hold exactly this model, in pool order. Empty if all are gone. */
  readonly engines: readonly PooledEngine[];
}

/** Whether an engine may serve a model that it describes. */
type ModelGate = (engine: PooledEngine, model: PinnedModel) => boolean;

const UNCHECKED = 'the models that it holds are being checked';

export interface PoolEvents {
  /** An engine is up, down, draining, readmitted, or is (no longer) the same process as another one. */
  engineChanged(engine: PooledEngine): void;
  /** The engine's `modelProblems` have changed. */
  modelProblemsChanged(engine: PooledEngine): void;
  breakerChanged(engine: PooledEngine, event: BreakerEvent): void;
  engineRemoved(engine: PooledEngine): void;
  /** An inference of a request or of a check has ended: its engine may have a free slot. */
  roomFreed(): void;
  /** A model's breakers are ignored from now on, or used again. */
  panicChanged(event: PanicEvent): void;
}

export class EnginePool {
  readonly #pins: ModelPins;
  readonly #breaker: BreakerOptions;
  readonly #events: Partial<PoolEvents>;
  readonly #panic: Panic;
  #engines: readonly PooledEngine[] = [];
  /** Order of claims of instance ids: 0 until the pool has settled, then increasing. */
  #claims = 0;
  #isSettled = false;
  #gate: ModelGate = () => true;
  /** "name/version" → serving engines. Rebuilt when an engine changes, so that a request only looks it up. */
  #served = new Map<string, ServedModel>();

  /**
   * `pins`: the models of the repository that engines must match. `panicPercent`: if a lower share of a model's
   * breakers is closed, they are ignored; 0: never.
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

  /** Set before the first engine is added. */
  set gate(gate: ModelGate) {
    this.#gate = gate;
  }

  /** In the order they were added. */
  get engines(): readonly PooledEngine[] {
    return this.#engines;
  }

  /** Throws ENGINE_EXISTS or ENGINE_LIMIT. The caller starts the engine. */
  add(engine: Engine): PooledEngine {
    if (this.#engines.some(({ id }) => id === engine.id)) {
      const message = `there is an engine "${engine.id}" already; remove it first, or choose another id`;
      throw new RouterError('ENGINE_EXISTS', message, { field: 'engine_id' });
    }
    if (this.#engines.length >= MAX_ENGINES) {
      throw new RouterError('ENGINE_LIMIT', `there are ${MAX_ENGINES} engines, the most there can be; remove one`);
    }
    const onBreaker = (event: BreakerEvent): void => {
      this.#events.breakerChanged?.(pooled, event);
      this.#panic.check(this.#served, this.#engines);
    };
    const holders: FindHolders = (name, version) => this.holders(name, version);
    const onRoom = (): void => this.#events.roomFreed?.();
    const pooled = new PooledEngine(engine, this.#pins, this.#breaker, onBreaker, holders, onRoom);
    this.#engines = [...this.#engines, pooled];
    let wasUp = engine.description !== undefined;
    pooled.limit.cap(engine.description?.maxInFlight ?? 0);
    this.#claim(pooled);
    engine.onChange(() => {
      const { description, downReason } = engine;
      pooled.build = description?.build ?? pooled.build;
      pooled.limit.cap(description?.maxInFlight ?? 0);
      this.#claim(pooled);
      if (wasUp && description === undefined) pooled.breaker.trip(downReason, engine.isFaulty);
      if (!wasUp && description !== undefined) pooled.readySinceMs = performance.now();
      wasUp = description !== undefined;
      this.#changed(pooled);
    });
    if (wasUp) this.#changed(pooled);
    return pooled;
  }

  /** Removes an engine: it gets no more requests. The caller stops it. Throws UNKNOWN_ENGINE. */
  remove(id: string): PooledEngine {
    const pooled = this.find(id);
    this.#engines = this.#engines.filter((each) => each !== pooled);
    pooled.breaker.stop();
    pooled.isDraining = true;
    const others = this.#rebuild();
    this.#events.engineRemoved?.(pooled);
    for (const each of others) this.#events.engineChanged?.(each);
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

  /** Call when the pins have new models. */
  pinsChanged(): void {
    for (const pooled of this.#rebuild()) this.#events.engineChanged?.(pooled);
  }

  /** Undefined until an engine has held exactly the repository's version. */
  served(name: string, version: number): ServedModel | undefined {
    return this.#served.get(versionKey(name, version));
  }

  /** Ready engines that hold exactly this version now, in pool order. */
  holders(name: string, version: number): readonly PooledEngine[] {
    return this.served(name, version)?.engines ?? [];
  }

  /** Those of `engines`, which hold a model version, that may get requests now. */
  candidates(name: string, version: number, engines: readonly PooledEngine[]): readonly PooledEngine[] {
    const panics = this.#panic.has(versionKey(name, version));
    const mayBeAsked = ({ isAvailable, breaker }: PooledEngine): boolean =>
      isAvailable && (panics || breaker.allowsRequest);
    return engines.every(mayBeAsked) ? engines : engines.filter(mayBeAsked);
  }

  /** From now on, the current engines of the pool do not count as new. */
  settle(): void {
    this.#isSettled = true;
    for (const pooled of this.#engines) pooled.readySinceMs = -Infinity;
  }

  /** A model version of the repository. Undefined: there is none, or it is not read yet. */
  pinned(name: string, version: number): PinnedModel | undefined {
    return this.#pins.find(name, version);
  }

  /** Updates its claim of an instance id, which stays while it is down. */
  #claim(pooled: PooledEngine): void {
    const { instanceId } = pooled.engine.description ?? pooled;
    if (instanceId === pooled.instanceId) return;
    if (this.#isSettled) this.#claims += 1;
    pooled.claimOrder = this.#claims;
    pooled.instanceId = instanceId;
  }

  #changed(pooled: PooledEngine): void {
    const others = this.#rebuild().filter((each) => each !== pooled);
    for (const each of [pooled, ...others]) this.#events.engineChanged?.(each);
  }

  /** Returns the engines whose state as duplicate or unusable has changed. */
  #rebuild(): readonly PooledEngine[] {
    const turned = this.#markDuplicates();
    // A version stays known when its engines are gone, so that the cache can still answer.
    const served = new Map<string, { model: PinnedModel; engines: PooledEngine[] }>(
      [...this.#served]
        .filter(([, { model }]) => this.#pins.find(model.name, model.version) !== undefined)
        .map(([key, { model }]) => [key, { model, engines: [] }]),
    );
    const withOtherProblems: PooledEngine[] = [];
    for (const pooled of this.#engines) {
      const { description } = pooled.engine;
      pooled.models = [];
      if (description === undefined) continue;
      const checked = checkModels(description.models, this.#pins);
      const { known, problems } = checked;
      const usable = checked.usable.filter((model) => this.#gate(pooled, model));
      if (JSON.stringify(problems) !== JSON.stringify(pooled.modelProblems)) withOtherProblems.push(pooled);
      pooled.models = known;
      pooled.modelProblems = problems;
      const { unusable } = pooled;
      pooled.unusable =
        usable.length > 0
          ? ''
          : whyUnusable(description.models, checked) || (checked.usable.length > 0 ? UNCHECKED : '');
      if (unusable !== pooled.unusable && !turned.includes(pooled)) turned.push(pooled);
      if (pooled.state !== 'READY') continue;
      for (const model of usable) {
        const key = versionKey(model.name, model.version);
        const holders = served.get(key)?.engines ?? [];
        served.set(key, { model, engines: [...holders, pooled] });
      }
    }
    this.#served = served;
    this.#panic.check(served, this.#engines);
    for (const pooled of withOtherProblems) this.#events.modelProblemsChanged?.(pooled);
    return turned;
  }

  /** A process has one vote, whatever its ids and addresses: only one of its engines is used. */
  #markDuplicates(): PooledEngine[] {
    const duplicates = findDuplicates(this.#engines);
    return this.#engines.filter((pooled) => {
      const was = pooled.duplicateOf;
      pooled.duplicateOf = duplicates.get(pooled.id) ?? '';
      return (was === '') !== (pooled.duplicateOf === '');
    });
  }
}
