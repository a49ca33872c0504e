// Types for loading and unloading model versions: requests, results, and the parts of the router involved.
import type { RouterError } from '../core/errors.ts';
import type { RepositoryModels } from '../engines/local/repository-models.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import type { ModelStore, VersionFiles } from '../models/store.ts';
import type { EngineLoads } from './engine-loads.ts';

export interface LoadRequest {
  readonly name: string;
  /** 0: with `files` the next number, else the highest in the repository. */
  readonly version: number;
  /** Undefined: load from the repository. */
  readonly files?: VersionFiles | undefined;
  /** It may replace a served version with different content. */
  readonly reload?: boolean;
}

export interface LoadOutcome {
  readonly version: ModelVersion;
  /** The same content was already served. */
  readonly wasServed: boolean;
  readonly engines: readonly { readonly engineId: string; readonly tookMs: number }[];
  /** Number of inputs that each answered correctly. */
  readonly knownInputs: number;
}

export interface UnloadOutcome {
  readonly version: ModelVersion;
  /** Number of requests that were finished first. */
  readonly drained: number;
  /** It stays unloaded after a restart, because the folder could be written. */
  readonly isRemembered: boolean;
}

export interface GoldenOutcome {
  readonly version: ModelVersion;
  readonly cases: number;
  readonly engineIds: readonly string[];
  readonly kinds: number;
}

interface PublisherEvents {
  /** A version is served from now on; `before`: the version that it replaced. */
  loaded(outcome: LoadOutcome, before: ModelVersion | undefined): void;
  unloaded(outcome: UnloadOutcome): void;
  /** A load or an unload failed. */
  refused(what: 'load' | 'unload', model: string, error: RouterError): void;
  /** The set of served models has changed, which may affect requests or health. */
  changed(): void;
  /** An engine's statement about a model is impossible. */
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
