// An operator's calls about models of a router, as promises.
import * as grpc from '@grpc/grpc-js';
import {
  type ListModelsResponse,
  LoadModelRequest,
  type LoadModelResponse,
  MakeGoldenRequest,
  type MakeGoldenResponse,
  type Model,
  ModelServiceClient,
  UnloadModelRequest,
  type UnloadModelResponse,
} from '../../services/generated/tandem/v1/models.ts';
import { promised } from './promised.ts';

export class ModelOperator {
  readonly #client: ModelServiceClient;

  constructor(address: string) {
    this.#client = new ModelServiceClient(address, grpc.credentials.createInsecure());
  }

  load(request: Partial<LoadModelRequest>): Promise<LoadModelResponse> {
    return promised((done) => this.#client.loadModel(LoadModelRequest.fromPartial(request), done));
  }

  unload(request: Partial<UnloadModelRequest>): Promise<UnloadModelResponse> {
    return promised((done) => this.#client.unloadModel(UnloadModelRequest.fromPartial(request), done));
  }

  makeGolden(request: Partial<MakeGoldenRequest>): Promise<MakeGoldenResponse> {
    return promised((done) => this.#client.makeGolden(MakeGoldenRequest.fromPartial(request), done));
  }

  async models(): Promise<Model[]> {
    return (await promised<ListModelsResponse>((done) => this.#client.listModels({}, done))).models;
  }

  close(): void {
    this.#client.close();
  }
}
