// ModelService: the repository, the versions that each engine holds, loading and unloading.
import { RouterError } from '../core/errors.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import {
  type EngineProblem,
  type GetModelRequest,
  type GetModelResponse,
  type ListModelsRequest,
  type ListModelsResponse,
  type LoadModelRequest,
  type LoadModelResponse,
  type MakeGoldenRequest,
  type MakeGoldenResponse,
  type Model,
  ModelServiceService,
  ModelState,
  type UnloadModelRequest,
  type UnloadModelResponse,
} from '../generated/tandem/v1/models.ts';
import type { Method } from '../grpc/method.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { MAX_TEXT_BYTES } from '../models/tokenizer.ts';
import type { ModelPublisher } from '../publishing/publisher.ts';
import { findVersion } from '../routing/find-model.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { checkGetModel, checkLoadModel, checkPlain, checkUnloadModel } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

const DEFAULT_CASES = 8;

export const modelService = decoding(ModelServiceService, {
  listModels: checkPlain,
  getModel: checkGetModel,
  loadModel: checkLoadModel,
  unloadModel: checkUnloadModel,
  makeGolden: checkUnloadModel,
});

type ModelOptions = UnaryOptions;

export function modelMethods(
  models: ModelRepository,
  pool: EnginePool,
  publisher: Pick<ModelPublisher, 'load' | 'unload' | 'makeGolden'>,
  options: ModelOptions,
): Method[] {
  const show = (version: ModelVersion): Model => toModel(version, pool, models);
  return methodsOf(modelService, {
    listModels: unary<ListModelsRequest, ListModelsResponse>(options, (_request, { startedMs }) => ({
      models: models.versions.map(show),
      defaultModel: models.defaultModel,
      processingTimeMs: performance.now() - startedMs,
    })),
    getModel: unary<GetModelRequest, GetModelResponse>(options, ({ model, modelVersion }, { startedMs }) => ({
      model: show(findVersion(models, pool, model, modelVersion)),
      processingTimeMs: performance.now() - startedMs,
    })),
    loadModel: unary<LoadModelRequest, LoadModelResponse>(
      options,
      async ({ name, version, nir, manifest, labels, golden, reload }, { startedMs }) => {
        const files = nir.length === 0 ? undefined : { nir, manifest, labels, golden };
        if (files === undefined && (manifest !== undefined || labels !== '' || golden !== '')) throw noBytes();
        const loaded = await publisher.load({ name: required(name), version, files, reload });
        return {
          model: show(loaded.version),
          wasServed: loaded.wasServed,
          engines: [...loaded.engines],
          knownInputs: loaded.knownInputs,
          processingTimeMs: performance.now() - startedMs,
        };
      },
    ),
    unloadModel: unary<UnloadModelRequest, UnloadModelResponse>(
      options,
      async ({ name, version, deleteFiles }, { startedMs }) => {
        const unloaded = await publisher.unload(required(name), version, deleteFiles);
        return { ...unloaded, model: show(unloaded.version), processingTimeMs: performance.now() - startedMs };
      },
    ),
    makeGolden: unary<MakeGoldenRequest, MakeGoldenResponse>(
      options,
      async ({ name, version, cases, replace }, { startedMs }) => {
        const made = await publisher.makeGolden(required(name), version, cases || DEFAULT_CASES, replace);
        return {
          model: show(made.version),
          cases: made.cases,
          engineIds: [...made.engineIds],
          engineKinds: made.kinds,
          processingTimeMs: performance.now() - startedMs,
        };
      },
    ),
  });
}

function required(name: string): string {
  if (name !== '') return name;
  throw new RouterError('INVALID_FIELD', 'name is empty; give the name of a model', { field: 'name' });
}

function noBytes(): RouterError {
  const message = 'manifest, labels and golden come with the bytes of a NIR file; send nir, too, or leave them out';
  return new RouterError('INVALID_FIELD', message, { field: 'nir' });
}

function toModel(version: ModelVersion, pool: EnginePool, models: ModelRepository): Model {
  const { name, version: number, heldAs } = version;
  const pin = version.isUnloaded ? undefined : pool.pinned(heldAs, number);
  const isRead = pin !== undefined && pin.error === '';
  const error = version.error || (pin?.error ?? '');
  const engineIds = version.isUnloaded || error !== '' ? [] : pool.holders(heldAs, number).map(({ id }) => id);
  return {
    name,
    version: number,
    inputShape: [...(version.inputShape ?? (isRead ? [pin.inputSize] : []))],
    inputKind: version.inputKind,
    outputSize: pin?.outputSize ?? 0,
    labels: version.readout.labels as string[],
    steps: version.steps,
    dt: version.dt,
    modelId: pin?.modelId ?? 0n,
    parameters: BigInt(pin?.parameters ?? 0),
    engineIds,
    error,
    takesText: version.tokenizer !== undefined,
    maxTextBytes: version.tokenizer === undefined ? 0 : MAX_TEXT_BYTES,
    tokenizerDigest: version.tokenizer?.digest ?? 0n,
    problems: pool.engines.flatMap((engine) => problemOf(engine, `${heldAs}/${number}`)),
    encoder: version.encoder?.kind ?? '',
    events: version.events && { ...version.events, binUs: version.events.bin_us },
    state: stateOf(version, engineIds.length > 0),
    defaults: [...version.defaults],
    goldenVectors: version.golden.length,
    isLatest: isLatest(version, models, pool),
  };
}

function stateOf({ isUnloaded }: ModelVersion, isServed: boolean): ModelState {
  if (isUnloaded) return ModelState.MODEL_STATE_UNLOADED;
  return isServed ? ModelState.MODEL_STATE_SERVED : ModelState.MODEL_STATE_NOT_SERVED;
}

function isLatest({ name, version, isUnloaded }: ModelVersion, models: ModelRepository, pool: EnginePool): boolean {
  return !isUnloaded && findVersion(models, pool, name, 0).version === version;
}

function problemOf({ id, modelProblems }: PooledEngine, model: string): EngineProblem[] {
  return modelProblems.filter((problem) => problem.model === model).map(({ why }) => ({ engineId: id, why }));
}
