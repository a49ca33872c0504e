// An operator's calls to a router, as promises.
import * as grpc from '@grpc/grpc-js';
import {
  type DrainEngineResponse,
  type ListEnginesResponse,
  type ReadmitEngineResponse,
  type RegisterEngineResponse,
  type RemoveEngineResponse,
  type SetStrategyResponse,
  EngineAdminServiceClient,
  type EngineStatus,
  breakerStateToJSON,
} from '../../services/generated/tandem/v1/engines.ts';
import {
  type GetMetricsResponse,
  type Metrics,
  MetricsServiceClient,
  type RequestTypeMetrics,
  type ResetMetricsResponse,
} from '../../services/generated/tandem/v1/metrics.ts';
import type { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { promised } from './promised.ts';

export class Operator {
  readonly #admin: EngineAdminServiceClient;
  readonly #metrics: MetricsServiceClient;

  /** `address`: of the administrative listener. The public address allows reading, too. */
  constructor(address: string) {
    this.#admin = new EngineAdminServiceClient(address, grpc.credentials.createInsecure());
    this.#metrics = new MetricsServiceClient(address, grpc.credentials.createInsecure());
  }

  async engines(): Promise<EngineStatus[]> {
    return (await promised<ListEnginesResponse>((done) => this.#admin.listEngines({}, done))).engines;
  }

  async strategy(): Promise<Strategy> {
    return (await promised<ListEnginesResponse>((done) => this.#admin.listEngines({}, done))).strategy;
  }

  async engine(id: string): Promise<EngineStatus> {
    const found = (await this.engines()).find((each) => each.id === id);
    if (found === undefined) throw new Error(`there is no engine "${id}"`);
    return found;
  }

  async register(engineId: string, address: string): Promise<EngineStatus> {
    return (await promised<RegisterEngineResponse>((done) => this.#admin.registerEngine({ engineId, address }, done)))
      .engine!;
  }

  async remove(engineId: string): Promise<EngineStatus> {
    return (await promised<RemoveEngineResponse>((done) => this.#admin.removeEngine({ engineId }, done))).engine!;
  }

  async drain(engineId: string): Promise<EngineStatus> {
    return (await promised<DrainEngineResponse>((done) => this.#admin.drainEngine({ engineId }, done))).engine!;
  }

  async readmit(engineId: string): Promise<EngineStatus> {
    return (await promised<ReadmitEngineResponse>((done) => this.#admin.readmitEngine({ engineId }, done))).engine!;
  }

  /** Resolves with the previous one. */
  async setStrategy(strategy: Strategy): Promise<Strategy> {
    return (await promised<SetStrategyResponse>((done) => this.#admin.setStrategy({ strategy }, done))).previous;
  }

  async metrics(): Promise<Metrics> {
    return (await promised<GetMetricsResponse>((done) => this.#metrics.getMetrics({}, done))).metrics!;
  }

  async resetMetrics(): Promise<void> {
    await promised<ResetMetricsResponse>((done) => this.#metrics.resetMetrics({}, done));
  }

  /** Undefined until a request of this type has ended. */
  async requests(type: string): Promise<RequestTypeMetrics | undefined> {
    return (await this.metrics()).requestTypes.find((each) => each.type === type);
  }

  close(): void {
    this.#admin.close();
    this.#metrics.close();
  }
}

/** States of an engine's breaker, oldest first. Example: `['OPEN', 'HALF_OPEN', 'CLOSED']`. */
export function breakerStates({ breakerEvents }: EngineStatus): string[] {
  return breakerEvents.map(({ state }) => breakerStateToJSON(state).replace('BREAKER_STATE_', ''));
}
