// ModelService: the repository, and who holds what.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { EnginePool } from '../engines/pool.ts';
import {
  type GetModelRequest,
  type GetModelResponse,
  type ListModelsRequest,
  type ListModelsResponse,
  type Model,
  ModelServiceService,
} from '../generated/tandem/v1/models.ts';
import type { ModelRepository, ModelVersion } from '../models/repository.ts';
import { findVersion } from '../routing/find-model.ts';
import { type UnaryOptions, decoding, unary } from './unary.ts';

export const modelService = decoding(ModelServiceService);

export function modelHandlers(
  models: ModelRepository,
  pool: EnginePool,
  options: UnaryOptions,
): UntypedServiceImplementation {
  return {
    listModels: unary<ListModelsRequest, ListModelsResponse>(options, (_request, { startedMs }) => ({
      models: models.versions.map((version) => toModel(version, pool)),
      defaultModel: models.defaultModel,
      processingTimeMs: performance.now() - startedMs,
    })),
    getModel: unary<GetModelRequest, GetModelResponse>(options, ({ model, modelVersion }, { startedMs }) => ({
      model: toModel(findVersion(models, pool, model, modelVersion), pool),
      processingTimeMs: performance.now() - startedMs,
    })),
  };
}

function toModel(version: ModelVersion, pool: EnginePool): Model {
  const served = pool.served(version.name, version.version);
  return {
    name: version.name,
    version: version.version,
    inputShape: [...(version.inputShape ?? (served ? [served.model.inputSize] : []))],
    inputKind: version.inputKind,
    outputSize: served?.model.outputSize ?? 0,
    labels: version.readout.labels as string[],
    steps: version.steps,
    dt: version.dt,
    modelId: served?.model.modelId ?? 0n,
    parameters: BigInt(served?.model.parameters ?? 0),
    engineIds: served?.engines.map(({ id }) => id) ?? [],
    error: version.error || (served ? '' : (pool.brokenReason(version.name, version.version) ?? '')),
  };
}
