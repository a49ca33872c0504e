// Reports loads and unloads of model versions as events, metrics and log lines.
import { resolve } from 'node:path';
import type { Settings } from '../config/schema.ts';
import type { RepositoryModels } from '../engines/local/repository-models.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import { type ModelRepository, keyOf } from '../models/repository.ts';
import { ModelStore } from '../models/store.ts';
import { EngineLoads } from '../publishing/engine-loads.ts';
import { ModelPublisher } from '../publishing/publisher.ts';
import { RepositoryWatch } from '../publishing/watch.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';

interface PublishingParts {
  readonly models: ModelRepository;
  readonly pins: RepositoryModels;
  readonly pool: EnginePool;
  readonly system: SystemEvents;
  /** Called when the set of served models has changed, which may affect requests or health. */
  readonly changed: () => void;
  readonly distrust: (engine: PooledEngine, why: string) => void;
}

export class Publishing {
  readonly publisher: ModelPublisher;
  readonly #loads: EngineLoads;
  readonly #store: ModelStore;
  readonly #watch: RepositoryWatch | undefined;

  constructor(settings: Settings, parts: PublishingParts) {
    const { models, pins, pool, system, changed, distrust } = parts;
    const modelsDir = resolve(settings.models_dir);
    this.#store = new ModelStore(modelsDir);
    this.#loads = new EngineLoads(pool, {
      notLoaded: ({ id }, { load }, why) => {
        const model = `${load.name}/${load.version}`;
        system.tell('model', 'WARNING', 'engine could not load a model', { engine: id, model, why });
      },
      lied: distrust,
    });
    this.publisher = new ModelPublisher({
      ...{ modelsDir, models, store: this.#store, pins, pool, loads: this.#loads },
      events: {
        loaded: ({ version, engines, knownInputs }, before) => {
          const what = { model: keyOf(version), engines: engines.map(({ engineId }) => engineId).join(' ') };
          const text = before === undefined ? 'model version loaded' : 'model version replaced';
          system.tell('model', 'INFO', text, {
            ...what,
            known_inputs: knownInputs,
            defaults: version.defaults.join(', '),
          });
        },
        unloaded: ({ version, drained, isRemembered }) => {
          const remembered = isRemembered ? 'yes' : 'no: the model repository cannot be written';
          system.tell('model', 'INFO', 'model version unloaded', { model: keyOf(version), drained, remembered });
        },
        refused: (what, model, error) => {
          system.tell('model', 'WARNING', `model not ${what}ed`, { model, why: error.message });
        },
        changed,
        lied: distrust,
      },
    });
    const { watch, debounce_ms: debounceMs } = settings.models;
    this.#watch = watch
      ? new RepositoryWatch(modelsDir, debounceMs, {
          ...{ models, publisher: this.publisher },
          onProblem: (why) => system.tell('model', 'WARNING', 'the model repository cannot be watched', { why }),
        })
      : undefined;
  }

  /** Call when an engine has started or is trusted again. */
  engineChanged(engine: PooledEngine): void {
    void this.#loads.sync(engine);
  }

  /** Repairs files of a load that was interrupted by the end of the router. Call before the repository is read. */
  static recover(modelsDir: string): Promise<void> {
    return new ModelStore(modelsDir).recover();
  }

  /** Call after the repository was read. */
  start(): void {
    this.#watch?.start();
  }

  async stop(): Promise<void> {
    this.#watch?.stop();
    this.#loads.stop();
    await this.publisher.idle();
  }
}
