// Loads and unloads model versions while requests run. One change at a time, each complete or without effect:
// version-loader.ts and unload-version.ts.
import { RouterError } from '../core/errors.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import { knownAnswers } from './known-inputs.ts';
import { makeGolden } from './make-golden.ts';
import type { EndListener, GoldenOutcome, LoadOutcome, LoadRequest, PublisherParts, UnloadOutcome } from './parts.ts';
import { unloadVersion } from './unload-version.ts';
import { VersionLoader, labelsProblem, toLoad } from './version-loader.ts';

/** Maximum waiting changes. */
const MAX_WAITING = 16;

export class ModelPublisher {
  readonly #parts: PublisherParts;
  readonly #loader: VersionLoader;
  readonly #ended: EndListener[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#loader = new VersionLoader(parts, this.#end);
  }

  /**
   * Called when a version is no longer served, before the last requests for it have ended: session states of it become
   * invalid.
   */
  onEnded(listener: EndListener): void {
    this.#ended.push(listener);
  }

  /**
   * Adds a version from the router's start: engines that lack it will load it. Returns why it cannot be served; empty:
   * it can.
   */
  adopt(pin: PinnedModel): string {
    const { models, loads, pool } = this.#parts;
    const version = models.versions.find((each) => each.heldAs === pin.name && each.version === pin.version);
    if (loads.find(pin.name, pin.version) !== undefined) return '';
    if (version?.folder === undefined || version.isUnloaded) return pin.error;
    const error = pin.error || version.error || labelsProblem(version, pin);
    if (error !== '') {
      if (pin.error === '' && version.error === '') models.put({ ...version, error }); // only both together can tell
      return error;
    }
    const load = toLoad(version, version.folder, pin);
    loads.add({ load, pin, known: knownAnswers(version, pin), isManaged: false });
    for (const engine of pool.engines) void loads.sync(engine);
    return '';
  }

  /** Either all engines that are up serve it, or none does. Rejects with RouterError. */
  load(request: LoadRequest): Promise<LoadOutcome> {
    const { events } = this.#parts;
    return this.#inTurn(async () => {
      try {
        return await this.#loader.load(request);
      } catch (thrown) {
        const error = RouterError.from(thrown);
        events.refused('load', `${request.name}/${request.version || 'latest'}`, error);
        throw error;
      }
    });
  }

  /** `version` 0: the latest served one. Rejects with RouterError. */
  unload(name: string, version: number, deleteFiles = false): Promise<UnloadOutcome> {
    const { events } = this.#parts;
    return this.#inTurn(async () => {
      try {
        return await unloadVersion(this.#parts, name, version, deleteFiles, this.#end);
      } catch (thrown) {
        const error = RouterError.from(thrown);
        events.refused('unload', `${name}/${version || 'latest'}`, error);
        throw error;
      }
    });
  }

  /**
   * Makes golden vectors from generated inputs on which all engines with this version agree. Rejects with RouterError.
   */
  makeGolden(name: string, version: number, cases: number, replace: boolean): Promise<GoldenOutcome> {
    return this.#inTurn(() => makeGolden(this.#parts, name, version, cases, replace));
  }

  /** Resolves when all changes requested so far are done. */
  async idle(): Promise<void> {
    await this.#last;
  }

  readonly #end: EndListener = (version, why) => {
    for (const listener of this.#ended) listener(version, why);
  };

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      const message = `${MAX_WAITING} changes of models wait for each other already; try again in a moment`;
      return Promise.reject(new RouterError('LOADS_BUSY', message));
    }
    this.#waiting += 1;
    const result = this.#last.then(work).finally(() => (this.#waiting -= 1));
    this.#last = result.catch(() => undefined);
    return result;
  }
}
