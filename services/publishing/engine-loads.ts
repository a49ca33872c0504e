// Model versions on engines: loaded, and held against known inputs before the engine is asked for them.
//
// A version that was published while the router runs is "managed": an engine is asked for it only after it has answered the
// version's known inputs, whether it was there when the version came, joined later or was started again. What the repository
// held when the router started is pinned by its model id, as ever. Every engine is given the versions that it lacks.
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { isReplacementName } from '../core/held-name.ts';
import type { CallContext, Inference } from '../core/inference.ts';
import type { EngineModel, ModelLoad } from '../engines/engine.ts';
import { type KnownAnswer, firstFailure } from '../engines/known-answers.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import { madeUpInputs } from './known-inputs.ts';

/** The largest file takes an engine a few seconds; many loads at once wait for each other. */
const LOAD_TIMEOUT_MS = 60_000;
const INPUT_TIMEOUT_MS = 10_000;

/** A version that engines are to hold. */
export interface HeldVersion {
  readonly load: ModelLoad;
  readonly pin: PinnedModel;
  /** Its golden vectors, or what all engines agreed on. */
  readonly known: readonly KnownAnswer[];
  /** It was published while the router runs. */
  readonly isManaged: boolean;
}

interface EngineLoadEvents {
  /** An engine could not be brought to the set. */
  notLoaded(engine: PooledEngine, version: HeldVersion, why: string): void;
  /** It would hold other weights than it was told to, though it was given the bytes. */
  lied(engine: PooledEngine, why: string): void;
}

/** Whether it was lost: then nothing is known of what it was asked to do. */
export function isLost(engine: PooledEngine, error: RouterError): boolean {
  return error.kind === 'ENGINE_LOST' || error.kind === 'DRAINING' || engine.engine.description === undefined;
}

/** An engine says that it has loaded what it cannot have. */
export class WrongModel extends RouterError {}

export class EngineLoads {
  readonly #pool: EnginePool;
  readonly #events: EngineLoadEvents;
  /** "heldAs/version" → what engines are to hold. */
  readonly #held = new Map<string, HeldVersion>();
  /** What was unloaded, by the same key. */
  readonly #unwanted = new Set<string>();
  /** Stamps of what each engine has proved. */
  readonly #proved = new WeakMap<PooledEngine, Set<string>>();
  /** Stamps of what each engine was brought to, or could not be. */
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

  /** From now on every engine is to hold it. */
  add(version: HeldVersion): void {
    const key = keyOf(version.pin);
    this.#held.set(key, version);
    this.#unwanted.delete(key);
  }

  /** From now on no engine is to hold it. */
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
    return this.#held.get(`${name}/${version}`);
  }

  /** Has an engine load a version, and answer its known inputs. Rejects with RouterError; WrongModel: see there. */
  async bring(engine: PooledEngine, version: HeldVersion): Promise<void> {
    const tried = marksOf(this.#tried, engine);
    const stamp = stampOf(engine, version.pin);
    tried.add(stamp); // what it says of its models meanwhile is no reason to begin again
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

  /** It may be asked for it from now on. To be followed by pool.pinsChanged(). */
  prove(engine: PooledEngine, { pin }: HeldVersion): void {
    marksOf(this.#proved, engine).add(stampOf(engine, pin));
  }

  /** What all of them say to made-up inputs. Rejects with LOAD_FAILED where two say different things. */
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

  /** Brings an engine to the set of versions, in the background; one that has been there already is left alone. */
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
      // What an engine of the start's set holds instead is its operator's business: it is told, and not asked.
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

  /** Has it give up what was unloaded, or took the place of something once and is not wanted any more. */
  async #clear(engine: PooledEngine): Promise<void> {
    for (const { name, version } of engine.engine.description?.models ?? []) {
      const key = `${name}/${version}`;
      const isLeft = isReplacementName(name) && !this.#held.has(key);
      if (isLeft || this.#unwanted.has(key)) await this.unload(engine, name, version);
    }
  }

  /** Never rejects: an engine that is gone holds nothing. */
  async unload(engine: PooledEngine, heldAs: string, version: number): Promise<void> {
    try {
      await engine.engine.unloadModel?.(heldAs, version, within(LOAD_TIMEOUT_MS));
    } catch {
      // It is told again when it comes back with it.
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

/** An engine that is to hold what the others hold now. */
export function mayBeLoaded({ engine, duplicateOf, quarantine, isDraining }: PooledEngine): boolean {
  return engine.description !== undefined && duplicateOf === '' && quarantine === '' && !isDraining;
}

function keyOf({ name, version }: Pick<PinnedModel, 'name' | 'version'>): string {
  return `${name}/${version}`;
}

/** Of one content on one process. */
function stampOf({ instanceId, engine }: PooledEngine, { name, version, modelId, steps }: PinnedModel): string {
  return `${engine.description?.instanceId ?? instanceId} ${name}/${version} ${modelId} ${steps}`;
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
