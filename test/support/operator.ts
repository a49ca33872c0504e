// What an operator sees of a router, wherever it runs: its engines and its metrics.
import * as grpc from '@grpc/grpc-js';
import {
  EngineAdminServiceClient,
  type EngineStatus,
  type ListEnginesResponse,
  breakerStateToJSON,
} from '../../services/generated/tandem/v1/engines.ts';
import {
  type GetMetricsResponse,
  type Metrics,
  MetricsServiceClient,
  type RequestTypeMetrics,
} from '../../services/generated/tandem/v1/metrics.ts';

export class Operator {
  readonly #admin: EngineAdminServiceClient;
  readonly #metrics: MetricsServiceClient;

  constructor(address: string) {
    this.#admin = new EngineAdminServiceClient(address, grpc.credentials.createInsecure());
    this.#metrics = new MetricsServiceClient(address, grpc.credentials.createInsecure());
  }

  async engines(): Promise<EngineStatus[]> {
    const { promise, resolve, reject } = Promise.withResolvers<ListEnginesResponse>();
    this.#admin.listEngines({}, (error, response) => (error ? reject(error) : resolve(response)));
    return (await promise).engines;
  }

  async engine(id: string): Promise<EngineStatus> {
    const found = (await this.engines()).find((engine) => engine.id === id);
    if (found === undefined) throw new Error(`there is no engine "${id}"`);
    return found;
  }

  async metrics(): Promise<Metrics> {
    const { promise, resolve, reject } = Promise.withResolvers<GetMetricsResponse>();
    this.#metrics.getMetrics({}, (error, response) => (error ? reject(error) : resolve(response)));
    return (await promise).metrics!;
  }

  /** Undefined until one of its kind has ended. */
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
