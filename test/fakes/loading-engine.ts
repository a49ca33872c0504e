// An engine that loads and unloads models, controlled by a test.
import type { ModelLoad } from '../../services/engines/engine.ts';
import { FakeEngine, fakeModel } from './fake-engine.ts';

export class LoadingEngine extends FakeEngine {
  /** Names under which it had to hold versions, in order. */
  readonly loads: string[] = [];
  readonly unloads: string[] = [];
  /** The handler of the next loads. */
  onLoad: (load: ModelLoad) => Promise<void> = (load) => {
    this.hold(load);
    return Promise.resolve();
  };

  /** From now on it reports the given model, or another one under that name. */
  hold({ heldAs, version, modelId }: ModelLoad, heldId = modelId): void {
    const others = this.#others(heldAs, version);
    this.up(...others, fakeModel({ name: heldAs, version, modelId: heldId }));
  }

  loadModel(load: ModelLoad): Promise<void> {
    this.loads.push(`${load.heldAs}/${load.version}`);
    return this.onLoad(load);
  }

  unloadModel(heldAs: string, version: number): Promise<void> {
    this.unloads.push(`${heldAs}/${version}`);
    this.up(...this.#others(heldAs, version));
    return Promise.resolve();
  }

  #others(heldAs: string, version: number): ReturnType<typeof fakeModel>[] {
    const models = this.description?.models ?? [];
    return models.filter((each) => each.name !== heldAs || each.version !== version);
  }
}
