// inference.GRPCInferenceService: the Open Inference Protocol v2 with Triton's additions, on the same port.
import {
  GRPCInferenceServiceService,
  type ModelInferRequest,
  type ModelInferResponse,
  type ModelReadyRequest,
  type RepositoryIndexRequest,
  type RepositoryModelLoadRequest,
  type RepositoryModelUnloadRequest,
} from '../../generated/inference/grpc_service.ts';
import type { Method } from '../../grpc/method.ts';
import { packageVersion } from '../../core/package-version.ts';
import type { ModelPublisher } from '../../publishing/publisher.ts';
import { decoding } from '../decoding.ts';
import { type Handler, methodsOf } from '../methods.ts';
import { checkPlain } from '../request-limits.ts';
import { unary } from '../unary.ts';
import { invalid } from './errors.ts';
import type { Catalogue } from './catalogue.ts';
import type { Infer, InferOptions } from './infer.ts';
import type { InferenceStatistics } from './statistics.ts';
import { checkModelInfer, checkModelName, checkRepository } from './limits.ts';
import { inferStream } from './stream.ts';

interface OipOptions extends InferOptions {
  readonly isReady: () => boolean;
}

export const EXTENSIONS = ['model_repository', 'model_configuration', 'statistics'];

const oipService = decoding(GRPCInferenceServiceService, {
  serverLive: checkPlain,
  serverReady: checkPlain,
  modelReady: checkModelName,
  serverMetadata: checkPlain,
  modelMetadata: checkModelName,
  modelInfer: checkModelInfer,
  modelStreamInfer: checkModelInfer,
  modelConfig: checkModelName,
  modelStatistics: checkModelName,
  repositoryIndex: checkRepository,
  repositoryModelLoad: checkRepository,
  repositoryModelUnload: checkRepository,
});

export interface OipParts {
  readonly infer: Infer;
  readonly catalogue: Catalogue;
  readonly statistics: InferenceStatistics;
  readonly publisher: Pick<ModelPublisher, 'load' | 'unload'>;
}

export function oipMethods({ infer, catalogue, statistics, publisher }: OipParts, options: OipOptions): Method[] {
  const version = packageVersion();
  const versionsOf = (name: string, version: string) =>
    name === '' ? catalogue.versions : [catalogue.find(name, version)];
  const handlers: Record<keyof typeof GRPCInferenceServiceService, Handler> = {
    serverLive: unary(options, () => ({ live: true })),
    serverReady: unary(options, () => ({ ready: options.isReady() })),
    modelReady: unary(options, ({ name, version }: ModelReadyRequest) => ({ ready: catalogue.isReady(name, version) })),
    serverMetadata: unary(options, () => ({ name: 'tandem', version, extensions: EXTENSIONS })),
    modelMetadata: unary(options, ({ name, version }: ModelReadyRequest) => catalogue.metadata(name, version)),
    modelInfer: unary<ModelInferRequest, ModelInferResponse>(options, (request, context) => infer(request, context)),
    modelStreamInfer: inferStream(infer, options),
    modelConfig: unary(options, ({ name, version }: ModelReadyRequest) => ({
      config: catalogue.config(name, version, options.maxBatchItems),
    })),
    modelStatistics: unary(options, ({ name, version }: ModelReadyRequest) => ({
      modelStats: versionsOf(name, version).map((each) => statistics.read(each.name, each.version)),
    })),
    repositoryIndex: unary(options, ({ repositoryName, ready }: RepositoryIndexRequest) => {
      if (repositoryName !== '') throw invalid('repository_name', 'there is one repository; leave its name empty');
      return catalogue.index(ready);
    }),
    repositoryModelLoad: unary(options, async (request: RepositoryModelLoadRequest) => {
      await publisher.load({ name: modelOf(request), version: 0, files: undefined, reload: true });
      return {};
    }),
    // All versions of the model, as in Triton.
    repositoryModelUnload: unary(options, async (request: RepositoryModelUnloadRequest) => {
      const name = modelOf(request);
      const served = catalogue.versions.filter((each) => each.name === name && !each.isUnloaded);
      if (served.length === 0) catalogue.find(name, '');
      for (const { version: number } of served) await publisher.unload(name, number, false);
      return {};
    }),
  };
  return methodsOf(oipService, handlers);
}

/** KServe's clients send the model's name in the field where Triton's clients send the repository's name. */
function modelOf({ modelName, repositoryName }: RepositoryModelLoadRequest): string {
  const name = modelName || repositoryName;
  if (name === '') throw invalid('model_name', 'model_name is empty; give the name of a model');
  return name;
}
