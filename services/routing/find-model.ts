// Finds the version that a request means, and the engines that can serve it.
import { RouterError } from '../core/errors.ts';
import { versionKey } from '../core/version-key.ts';
import type { PinnedModel } from '../engines/model-pins.ts';
import type { EnginePool, ServedModel } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { noEngine, stillReading } from './no-engine.ts';
import { channelsOf } from '../inputs/events.ts';
import type { InputSpec } from './check-input.ts';

export interface Found {
  readonly version: ModelVersion;
  /** "name/version". */
  readonly key: string;
  /** Its input: from the manifest, else from the network. */
  readonly input: InputSpec;
  /** The version as read by the router. */
  readonly model: PinnedModel;
  /** Ready engines that hold it; empty if all are gone. */
  readonly engines: readonly PooledEngine[];
}

/** The version that a request means: the highest one that an engine serves, else the highest. Throws UNKNOWN_MODEL. */
export function findVersion(models: ModelRepository, pool: EnginePool, name: string, version: number): ModelVersion {
  const candidates = models.find(name, version);
  const served = candidates.find((candidate) => pool.served(candidate.heldAs, candidate.version) !== undefined);
  const found = served ?? candidates[0];
  if (found === undefined) throw unknownModel(models, name, version);
  return found;
}

/** Cached results until the pool's engines change, so a request allocates nothing here. */
const knownAs = new WeakMap<ServedModel, Found>();

/** Throws UNKNOWN_MODEL, MODEL_INVALID, or NO_ENGINE if it is still being read or no engine has ever held it. */
export function findServed(models: ModelRepository, pool: EnginePool, name: string, version: number): Found {
  const wanted = findVersion(models, pool, name, version);
  const served = pool.served(wanted.heldAs, wanted.version);
  const known = served && knownAs.get(served);
  if (known?.version === wanted && known.engines.length > 0) return known;
  const labels = wanted.readout.labels.length;
  if (served === undefined || served.engines.length === 0) {
    const broken = wanted.error || (pool.pinned(wanted.heldAs, wanted.version)?.error ?? '');
    if (broken !== '') throw invalid(wanted, broken);
  }
  if (served === undefined) {
    const isRead = pool.pinned(wanted.heldAs, wanted.version) !== undefined;
    throw isRead ? noEngine(pool, []) : stillReading(wanted.name, wanted.version);
  }
  const { model, engines } = served;
  if (labels !== 0 && labels !== model.outputSize) {
    throw invalid(wanted, `it has ${labels} labels for ${model.outputSize} outputs; give one for each, or none`);
  }
  checkEventBins(wanted, model);
  // The encoder makes the series.
  const isEncoded = wanted.encoder !== undefined && wanted.encoder.kind !== 'delta';
  const kind = isEncoded ? 'constant' : wanted.inputKind;
  const input = { kind, shape: wanted.inputShape ?? [model.inputSize], size: model.inputSize };
  const found = { version: wanted, key: versionKey(wanted.name, wanted.version), input, model, engines };
  knownAs.set(served, found);
  return found;
}

/** Throws MODEL_INVALID. */
function checkEventBins(version: ModelVersion, { inputSize }: PinnedModel): void {
  const { events } = version;
  if (events === undefined) return;
  const { width, height } = events;
  const channels = channelsOf(events);
  const size = channels * height * width;
  if (size === inputSize) return;
  const problem = `its events are ${channels} × ${height} × ${width} = ${size} numbers a step, but the network takes ${inputSize}`;
  throw invalid(version, `${problem}; correct key "events" of model.yaml`);
}

function invalid({ name, version }: ModelVersion, why: string): RouterError {
  const message = `model "${name}" version ${version} cannot be used: ${why}`;
  return new RouterError('MODEL_INVALID', message, { field: 'model', metadata: { model: name } });
}

function unknownModel(models: ModelRepository, name: string, version: number): RouterError {
  const unloaded = models.versions.filter((model) => model.isUnloaded && model.name === (name || models.defaultModel));
  if (unloaded.some((model) => version === 0 || model.version === version)) {
    const what = `${name || models.defaultModel}${version > 0 ? `/${version}` : ''}`;
    const message = `model ${what} is unloaded; load it with "npx tandem models load ${name || models.defaultModel}"`;
    return new RouterError('UNKNOWN_MODEL', message, { field: 'model' });
  }
  const known = models.versions
    .filter((model) => !model.isUnloaded)
    .map((model) => `${model.name}/${model.version}`)
    .join(', ');
  const wanted = `"${(name || models.defaultModel).slice(0, 64)}"${version > 0 ? ` version ${version}` : ''}`;
  return new RouterError('UNKNOWN_MODEL', `there is no model ${wanted}; there are: ${known || 'none'}`, {
    field: version > 0 && models.find(name, 0).length > 0 ? 'model_version' : 'model',
  });
}
