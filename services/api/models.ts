// ModelService: the repository, and who holds what.
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import {
  type EngineProblem,
  type GetModelRequest,
  type GetModelResponse,
  type ListModelsRequest,
  type ListModelsResponse,
  type Model,
  ModelServiceService,
} from '../generated/tandem/v1/models.ts';
import type { Method } from '../grpc/method.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { findVersion } from '../routing/find-model.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { checkGetModel, checkPlain } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

export const modelService = decoding(ModelServiceService, { listModels: checkPlain, getModel: checkGetModel });

export function modelMethods(models: ModelRepository, pool: EnginePool, options: UnaryOptions): Method[] {
  return methodsOf(modelService, {
    listModels: unary<ListModelsRequest, ListModelsResponse>(options, (_request, { startedMs }) => ({
      models: models.versions.map((version) => toModel(version, pool)),
      defaultModel: models.defaultModel,
      processingTimeMs: performance.now() - startedMs,
    })),
    getModel: unary<GetModelRequest, GetModelResponse>(options, ({ model, modelVersion }, { startedMs }) => ({
      model: toModel(findVersion(models, pool, model, modelVersion), pool),
      processingTimeMs: performance.now() - startedMs,
    })),
  });
}

function toModel(version: ModelVersion, pool: EnginePool): Model {
  const pin = pool.pinned(version.name, version.version);
  const isRead = pin !== undefined && pin.error === '';
  return {
    name: version.name,
    version: version.version,
    inputShape: [...(version.inputShape ?? (isRead ? [pin.inputSize] : []))],
    inputKind: version.inputKind,
    outputSize: pin?.outputSize ?? 0,
    labels: version.readout.labels as string[],
    steps: version.steps,
    dt: version.dt,
    modelId: pin?.modelId ?? 0n,
    parameters: BigInt(pin?.parameters ?? 0),
    engineIds: pool.holders(version.name, version.version).map(({ id }) => id),
    error: version.error || (pin?.error ?? ''),
    encoder: version.encoder?.kind ?? '',
    events: version.events && { ...version.events, binUs: version.events.bin_us },
    problems: pool.engines.flatMap((engine) => problemOf(engine, `${version.name}/${version.version}`)),
  };
}

function problemOf({ id, modelProblems }: PooledEngine, model: string): EngineProblem[] {
  return modelProblems.filter((problem) => problem.model === model).map(({ why }) => ({ engineId: id, why }));
}
