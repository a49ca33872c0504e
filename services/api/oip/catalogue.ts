// Models as the Open Inference Protocol and Triton describe them.
import { RouterError } from '../../core/errors.ts';
import type { EnginePool } from '../../engines/pool.ts';
import {
  DataType,
  type ModelConfig,
  type ModelMetadataResponse,
  type RepositoryIndexResponse,
} from '../../generated/inference/grpc_service.ts';
import type { ModelRepository, ModelVersion } from '../../models/repository.ts';
import { findVersion } from '../../routing/find-model.ts';
import { invalid } from './errors.ts';
import { INPUT, type ItemShape } from './input.ts';
import { OUTPUTS, type OutputType } from './output.ts';
import { TEXT } from './texts.ts';

const PLATFORM = 'nir';
const ANY = -1n;

const DATA_TYPES: Readonly<Record<OutputType, DataType>> = {
  FP32: DataType.TYPE_FP32,
  UINT32: DataType.TYPE_UINT32,
  UINT64: DataType.TYPE_UINT64,
  BYTES: DataType.TYPE_STRING,
};

export class Catalogue {
  readonly #models: ModelRepository;
  readonly #pool: EnginePool;

  constructor(models: ModelRepository, pool: EnginePool) {
    this.#models = models;
    this.#pool = pool;
  }

  get versions(): readonly ModelVersion[] {
    return this.#models.versions;
  }

  /** `version`: digits, or empty. Throws UNKNOWN_MODEL, INVALID_FIELD. */
  find(name: string, version: string): ModelVersion {
    return findVersion(this.#models, this.#pool, name, versionNumber(version));
  }

  isReady(name: string, version: string): boolean {
    try {
      const found = this.find(name, version);
      return found.error === '' && this.#pool.holders(found.heldAs, found.version).length > 0;
    } catch (thrown) {
      if (thrown instanceof RouterError && thrown.kind === 'UNKNOWN_MODEL') return false;
      throw thrown;
    }
  }

  /** Of one step. */
  itemShape({ heldAs, version, inputKind, inputShape }: ModelVersion): ItemShape {
    const size = this.#pool.pinned(heldAs, version)?.inputSize ?? 0;
    return { kind: inputKind, shape: inputShape ?? [size] };
  }

  metadata(name: string, version: string): ModelMetadataResponse {
    const found = this.find(name, version);
    const inputs = this.#inputs(found);
    return {
      name: found.name,
      versions: this.#models.find(found.name, 0).map((each) => String(each.version)),
      platform: PLATFORM,
      inputs: inputs.map(({ name, datatype, dims }) => ({ name, datatype, shape: [ANY, ...dims] })),
      outputs: OUTPUTS.map((output) => ({
        name: output.name,
        datatype: output.datatype,
        shape: [ANY, this.#outputLength(found, output.length)],
      })),
    };
  }

  config(name: string, version: string, maxItems: number): ModelConfig {
    const found = this.find(name, version);
    return {
      name: found.name,
      platform: PLATFORM,
      backend: 'tandem',
      maxBatchSize: maxItems,
      input: this.#inputs(found).map(({ name, datatype, dims }) => ({ name, dataType: DATA_TYPES[datatype], dims })),
      output: OUTPUTS.map((output) => ({
        name: output.name,
        dataType: DATA_TYPES[output.datatype],
        dims: [this.#outputLength(found, output.length)],
      })),
    };
  }

  index(onlyReady: boolean): RepositoryIndexResponse {
    const models = this.#models.versions.map(({ name, version, heldAs, isUnloaded, error }) => {
      const why = isUnloaded ? 'unloaded' : error || (this.#pool.pinned(heldAs, version)?.error ?? '');
      const isReady = why === '' && this.#pool.holders(heldAs, version).length > 0;
      const reason = isReady ? '' : why || 'no engine that is ready holds it';
      return { name, version: String(version), state: isReady ? 'READY' : 'UNAVAILABLE', reason };
    });
    return { models: onlyReady ? models.filter(({ state }) => state === 'READY') : models };
  }

  /** A request has one of these inputs. */
  #inputs(version: ModelVersion): { name: string; datatype: OutputType; dims: bigint[] }[] {
    const numbers = { name: INPUT, datatype: 'FP32', dims: this.#inputDims(version) } as const;
    if (version.tokenizer === undefined) return [numbers];
    return [{ name: TEXT, datatype: 'BYTES', dims: [1n] }, numbers];
  }

  #inputDims(version: ModelVersion): bigint[] {
    const { kind, shape } = this.itemShape(version);
    return [...(kind === 'series' ? [ANY] : []), ...shape.map(BigInt)];
  }

  #outputLength({ heldAs, version, readout }: ModelVersion, length: 'labels' | 'outputs' | 1): bigint {
    if (length === 1) return 1n;
    const outputs = BigInt(this.#pool.pinned(heldAs, version)?.outputSize ?? readout.labels.length);
    return outputs === 0n ? ANY : outputs;
  }
}

function versionNumber(version: string): number {
  if (version === '') return 0;
  const value = Number(version);
  if (/^\d{1,9}$/.test(version) && value > 0) return value;
  throw invalid('model_version', `version "${version.slice(0, 32)}" is no number; send one, or nothing for the latest`);
}
