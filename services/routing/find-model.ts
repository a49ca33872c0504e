// Which version a request means, and which engines can serve it.
import { RouterError } from '../core/errors.ts';
import type { EnginePool, PooledEngine } from '../engines/pool.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import type { InputSpec } from './validate.ts';

export interface Found {
  readonly version: ModelVersion;
  /** What it takes: as the manifest says, else as the network does. */
  readonly input: InputSpec;
  /** Ready engines that hold it; never empty. */
  readonly engines: readonly PooledEngine[];
}

/** The version a request means: the highest one that an engine serves, else the highest. Throws UNKNOWN_MODEL. */
export function findVersion(models: ModelRepository, pool: EnginePool, name: string, version: number): ModelVersion {
  const candidates = models.find(name, version);
  const served = candidates.find((candidate) => pool.served(candidate.name, candidate.version) !== undefined);
  const found = served ?? candidates[0];
  if (found === undefined) throw unknownModel(models, name, version);
  return found;
}

/** Throws UNKNOWN_MODEL, MODEL_INVALID or NO_ENGINE, each with what to do next. */
export function findServed(models: ModelRepository, pool: EnginePool, name: string, version: number): Found {
  const wanted = findVersion(models, pool, name, version);
  const served = pool.served(wanted.name, wanted.version);
  const labels = wanted.readout.labels.length;
  if (served !== undefined && labels !== 0 && labels !== served.model.outputSize) {
    throw invalid(wanted, `it has ${labels} labels for ${served.model.outputSize} outputs; give one for each, or none`);
  }
  if (served !== undefined) {
    const shape = wanted.inputShape ?? [served.model.inputSize];
    const input = { kind: wanted.inputKind, shape, size: served.model.inputSize };
    return { version: wanted, input, engines: served.engines };
  }
  const broken = wanted.error || pool.brokenReason(wanted.name, wanted.version);
  if (broken) throw invalid(wanted, broken);
  const downs = pool.engines.map(({ engine }) => `${engine.id}: ${engine.downReason || 'does not hold it'}`).join('; ');
  const message = `no engine is ready for model "${wanted.name}" (${downs || 'none is configured'}); try again in a moment`;
  throw new RouterError('NO_ENGINE', message, { metadata: { engines: downs } });
}

function invalid({ name, version }: ModelVersion, why: string): RouterError {
  const message = `model "${name}" version ${version} cannot be used: ${why}`;
  return new RouterError('MODEL_INVALID', message, { field: 'model', metadata: { model: name } });
}

function unknownModel(models: ModelRepository, name: string, version: number): RouterError {
  const known = models.versions.map((model) => `${model.name}/${model.version}`).join(', ');
  const wanted = `"${(name || models.defaultModel).slice(0, 64)}"${version > 0 ? ` version ${version}` : ''}`;
  return new RouterError('UNKNOWN_MODEL', `there is no model ${wanted}; there are: ${known || 'none'}`, {
    field: version > 0 && models.find(name, 0).length > 0 ? 'model_version' : 'model',
  });
}
