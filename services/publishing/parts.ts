// What model versions are loaded and unloaded with: requests, outcomes, and the parts of the router that take part.
import type { RouterError } from '../core/errors.ts';
import type { RepositoryModels } from '../engines/local/repository-models.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import type { ModelStore, VersionFiles } from '../models/store.ts';
import type { EngineLoads } from './engine-loads.ts';

export interface LoadRequest {
  readonly name: string;
  /** 0: with `files` the one after the highest, else the highest that the repository has. */
  readonly version: number;
  /** Undefined: as the repository has it. */
  readonly files?: VersionFiles | undefined;
  /** It may take the place of a version that is served with other content. */
  readonly reload?: boolean;
}

export interface LoadOutcome {
  readonly version: ModelVersion;
  /** It was served as it is already. */
  readonly wasServed: boolean;
  readonly engines: readonly { readonly engineId: string; readonly tookMs: number }[];
  /** Inputs that each of them got right. */
  readonly knownInputs: number;
}

export interface UnloadOutcome {
  readonly version: ModelVersion;
  /** Requests that were finished first. */
  readonly drained: number;
  /** It stays unloaded when the router starts again: the folder could be written. */
  readonly isRemembered: boolean;
}

export interface GoldenOutcome {
  readonly version: ModelVersion;
  readonly cases: number;
  readonly engineIds: readonly string[];
  readonly kinds: number;
}

interface PublisherEvents {
  /** A version is served from now on; `before`: what it took the place of. */
  loaded(outcome: LoadOutcome, before: ModelVersion | undefined): void;
  unloaded(outcome: UnloadOutcome): void;
  /** A load or an unload did not happen. */
  refused(what: 'load' | 'unload', model: string, error: RouterError): void;
  /** What requests, or health, may depend on has changed. */
  changed(): void;
  /** An engine said of a model what cannot be. */
  lied(engine: PooledEngine, why: string): void;
}

type VersionEnd = 'UNLOADED' | 'REPLACED';
export type EndListener = (version: ModelVersion, why: VersionEnd) => void;

export interface PublisherParts {
  readonly modelsDir: string;
  readonly models: ModelRepository;
  readonly store: ModelStore;
  readonly pins: Pick<RepositoryModels, 'read' | 'put' | 'drop' | 'find'>;
  readonly pool: EnginePool;
  readonly loads: EngineLoads;
  readonly events: PublisherEvents;
}
