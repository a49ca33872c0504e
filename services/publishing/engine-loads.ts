// Loads model versions on engines and tests them with known inputs before requests are sent.
//
// A version that is published while the router runs is "managed": an engine gets requests for it only after it has
// answered the version's known inputs correctly, whether it was present at the time, joined later or restarted.
// Versions from the router's start are checked by model id only. Every engine gets the versions that it lacks.
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { isReplacementName } from '../core/held-name.ts';
import type { CallContext, Inference } from '../core/inference.ts';
import { versionKey } from '../core/version-key.ts';
import type { EngineModel, ModelLoad } from '../engines/engine.ts';
import { type KnownAnswer, firstFailure } from '../engines/known-answers.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import { keyOf } from '../models/repository.ts';
import { madeUpInputs } from './known-inputs.ts';

/** The largest file takes an engine a few seconds; concurrent loads wait for each other. */
const LOAD_TIMEOUT_MS = 60_000;
const INPUT_TIMEOUT_MS = 10_000;

/** A version that engines must hold. */
export interface HeldVersion {
  readonly load: ModelLoad;
  readonly pin: PinnedModel;
  /** Its golden vectors, or answers on which all engines agreed. */
  readonly known: readonly KnownAnswer[];
  /** Whether it was published while the router runs. */
  readonly isManaged: boolean;
}

interface EngineLoadEvents {
  /** An engine could not load the set of versions. */
  notLoaded(engine: PooledEngine, version: HeldVersion, why: string): void;
  /** The engine reports different weights, although it got the bytes. */
  lied(engine: PooledEngine, why: string): void;
}

/** Whether it was lost: then the result of the request is unknown. */
export function isLost(engine: PooledEngine, error: RouterError): boolean {
  return error.kind === 'ENGINE_LOST' || error.kind === 'DRAINING' || engine.engine.description === undefined;
}

/** An engine reports that it loaded a model that it cannot have. */
export class WrongModel extends RouterError {}

export class EngineLoads {
  readonly #pool: EnginePool;
  readonly #events: EngineLoadEvents;
  /** "heldAs/version" → version that engines must hold. */
  readonly #held = new Map<string, HeldVersion>();
  /** Unloaded versions, by the same key. */
  readonly #unwanted = new Set<string>();
  /** Stamps of the versions that each engine has passed. */
  readonly #proved = new WeakMap<PooledEngine, Set<string>>();
  /** Stamps of the versions that each engine has loaded, or failed to load. */
  readonly #tried = new WeakMap<PooledEngine, Set<string>>();
  readonly #syncing = new WeakMap<PooledEngine, Promise<void>>();
  #isStopped = false;

  constructor(pool: EnginePool, events: EngineLoadEvents) {
    this.#pool = pool;
    this.#events = events;
    pool.gate = (engine, model) => this.#mayServe(engine, model);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** From now on every engine must hold it. */
  add(version: HeldVersion): void {
    const key = keyOf(version.pin);
    this.#held.set(key, version);
    this.#unwanted.delete(key);
  }

  /** From now on no engine must hold it. */
  delete(version: Pick<PinnedModel, 'name' | 'version'>): void {
    const key = keyOf(version);
    this.#held.delete(key);
    this.#unwanted.add(key);
    for (const engine of this.#pool.engines) {
      for (const marks of [marksOf(this.#tried, engine), marksOf(this.#proved, engine)]) {
        for (const stamp of marks) if (stamp.includes(` ${key} `)) marks.delete(stamp);
      }
    }
  }

  find(name: string, version: number): HeldVersion | undefined {
    return this.#held.get(versionKey(name, version));
  }

  /** Loads a version on an engine and tests it with the known inputs. Rejects with RouterError or WrongModel. */
  async bring(engine: PooledEngine, version: HeldVersion): Promise<void> {
    const tried = marksOf(this.#tried, engine);
    const stamp = stampOf(engine, version.pin);
    tried.add(stamp); // descriptions that arrive meanwhile must not restart the load
    try {
      await this.#bring(engine, version);
    } catch (thrown) {
      const error = RouterError.from(thrown);
      if (isLost(engine, error)) tried.delete(stamp);
      throw error;
    }
  }

  async #bring(engine: PooledEngine, { load, pin, known }: HeldVersion): Promise<void> {
    if (!isSame(heldBy(engine, pin), pin)) {
      if (engine.engine.loadModel === undefined) {
        const message = `engine "${engine.id}" cannot load models while it runs; restart it with a newer build`;
        throw new RouterError('LOAD_FAILED', message);
      }
      await engine.engine.loadModel(load, within(LOAD_TIMEOUT_MS));
      const held = heldBy(engine, pin);
      if (!isSame(held, pin)) {
        const message = `engine "${engine.id}" was given ${load.name}/${load.version} and says that it holds another model`;
        throw new WrongModel('LOAD_FAILED', message);
      }
    }
    const failure = await firstFailure(engine, known);
    if (failure !== undefined) {
      const message = `engine "${engine.id}" was given ${load.name}/${load.version}, and ${failure.why}`;
      throw new RouterError(failure.isLost ? 'ENGINE_LOST' : 'LOAD_FAILED', message);
    }
  }

  /** From now on it may get requests for the version. Call pool.pinsChanged() afterwards. */
  prove(engine: PooledEngine, { pin }: HeldVersion): void {
    marksOf(this.#proved, engine).add(stampOf(engine, pin));
  }

  /** Runs generated inputs on all engines. Rejects with LOAD_FAILED if two answers differ. */
  async agree(engines: readonly PooledEngine[], pin: PinnedModel, count: number): Promise<KnownAnswer[]> {
    const known: KnownAnswer[] = [];
    for (const input of madeUpInputs(pin, count)) {
      const said = await Promise.all(engines.map((engine) => ask(engine, input)));
      const answers = said.flatMap((each) => (each instanceof RouterError ? [] : [each]));
      const [first] = answers;
      const differs = answers.findIndex(
        ({ stateDigest, readoutDigest }) => stateDigest !== first?.stateDigest || readoutDigest !== first.readoutDigest,
      );
      const refusals = new Set(
        said.flatMap((each) => (each instanceof RouterError && !isAway(each) ? [each.kind] : [])),
      );
      if (differs >= 0 || refusals.size + (answers.length > 0 ? 1 : 0) > 1) {
        const who = engines.map(({ id }) => id).join(', ');
        const message = `the engines ${who} do not agree on this model; see "npx tandem replay" with an input of it`;
        throw new RouterError('LOAD_FAILED', message);
      }
      if (first !== undefined) {
        known.push({ input, stateDigest: first.stateDigest, readoutDigest: first.readoutDigest });
      }
    }
    return known;
  }

  /** Loads the set of versions on an engine in the background, unless it has them already. */
  sync(engine: PooledEngine): Promise<void> {
    const running = this.#syncing.get(engine);
    const next = (running ?? Promise.resolve()).then(() => this.#sync(engine));
    this.#syncing.set(engine, next);
    return next;
  }

  async #sync(engine: PooledEngine): Promise<void> {
    for (const version of [...this.#held.values()]) {
      const { pin, isManaged } = version;
      if (!this.#isUp(engine) || !this.#held.has(keyOf(pin))) continue;
      const held = heldBy(engine, pin);
      // If an engine holds a different model instead of one from the start, its operator must decide: it is reported,
      // and gets no requests.
      if (!isManaged && held !== undefined) continue;
      if (isManaged && this.#mayServe(engine, pin) && isSame(held, pin)) continue;
      const wasTried = marksOf(this.#tried, engine).has(stampOf(engine, pin));
      if (wasTried || engine.engine.loadModel === undefined) continue;
      try {
        await this.bring(engine, version);
        this.prove(engine, version);
        this.#pool.pinsChanged();
      } catch (thrown) {
        const error = RouterError.from(thrown);
        if (isLost(engine, error)) continue;
        if (error instanceof WrongModel) this.#events.lied(engine, error.message);
        else this.#events.notLoaded(engine, version, error.message);
      }
    }
    await this.#clear(engine);
  }

  /** Unloads versions that were unloaded or replaced. */
  async #clear(engine: PooledEngine): Promise<void> {
    for (const { name, version } of engine.engine.description?.models ?? []) {
      const key = versionKey(name, version);
      const isLeft = isReplacementName(name) && !this.#held.has(key);
      if (isLeft || this.#unwanted.has(key)) await this.unload(engine, name, version);
    }
  }

  /** Never rejects: a lost engine holds nothing. */
  async unload(engine: PooledEngine, heldAs: string, version: number): Promise<void> {
    try {
      await engine.engine.unloadModel?.(heldAs, version, within(LOAD_TIMEOUT_MS));
    } catch {
      // If it returns with the version, it is told again.
    }
  }

  #mayServe(engine: PooledEngine, pin: PinnedModel): boolean {
    const held = this.#held.get(keyOf(pin));
    return held?.isManaged !== true || this.#proved.get(engine)?.has(stampOf(engine, pin)) === true;
  }

  #isUp(engine: PooledEngine): boolean {
    return !this.#isStopped && mayBeLoaded(engine) && this.#pool.engines.includes(engine);
  }
}

/** An engine that must load what the others hold. */
export function mayBeLoaded({ engine, duplicateOf, quarantine, isDraining }: PooledEngine): boolean {
  return engine.description !== undefined && duplicateOf === '' && quarantine === '' && !isDraining;
}

/** Stamp of one content on one process. */
function stampOf({ instanceId, engine }: PooledEngine, { name, version, modelId, steps }: PinnedModel): string {
  return `${engine.description?.instanceId ?? instanceId} ${versionKey(name, version)} ${modelId} ${steps}`;
}

function marksOf(of: WeakMap<PooledEngine, Set<string>>, engine: PooledEngine): Set<string> {
  const known = of.get(engine);
  if (known !== undefined) return known;
  const made = new Set<string>();
  of.set(engine, made);
  return made;
}

function heldBy({ engine }: PooledEngine, { name, version }: PinnedModel): EngineModel | undefined {
  return engine.description?.models.find((each) => each.name === name && each.version === version);
}

function isSame(held: EngineModel | undefined, { modelId, inputKind, steps }: PinnedModel): boolean {
  if (held === undefined || held.error !== '' || held.modelId !== modelId) return false;
  return inputKind === 'series' || !held.steps || held.steps === steps;
}

async function ask(engine: PooledEngine, input: KnownAnswer['input']): Promise<Inference | RouterError> {
  try {
    return await engine.inferUncounted(input, within(INPUT_TIMEOUT_MS));
  } catch (thrown) {
    return RouterError.from(thrown);
  }
}

function isAway({ kind }: RouterError): boolean {
  return kind === 'ENGINE_LOST' || kind === 'DRAINING';
}

function within(timeoutMs: number): CallContext {
  return { deadlineMs: performance.now() + timeoutMs, signal: new Cancel() };
}
