// EngineAdminService: the pool as operators see it.
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { EnginePool, PooledEngine } from '../engines/pool.ts';
import {
  EngineAdminServiceService,
  EngineState,
  type EngineStatus,
  type ListEnginesRequest,
  type ListEnginesResponse,
} from '../generated/tandem/v1/engines.ts';
import { fromKind } from './enums.ts';
import { type UnaryOptions, unary } from './unary.ts';

export const engineAdminService = EngineAdminServiceService;

export function engineAdminHandlers(pool: EnginePool, options: UnaryOptions): UntypedServiceImplementation {
  return {
    listEngines: unary<ListEnginesRequest, ListEnginesResponse>(options, (_request, { startedMs }) => ({
      engines: pool.engines.map(toStatus),
      processingTimeMs: performance.now() - startedMs,
    })),
  };
}

function toStatus(pooled: PooledEngine): EngineStatus {
  const { engine } = pooled;
  const usable = engine.description?.models.filter((model) => model.error === '') ?? [];
  return {
    id: pooled.id,
    kind: fromKind(pooled.kind),
    address: engine.address,
    state: engine.description ? EngineState.ENGINE_STATE_READY : EngineState.ENGINE_STATE_DOWN,
    stateReason: engine.downReason,
    build: pooled.build,
    models: usable.map((model) => `${model.name}/${model.version}`),
    inFlight: engine.inFlight,
    succeeded: BigInt(pooled.succeeded),
    failed: BigInt(pooled.failed),
    latencyMs: pooled.latencyMs,
  };
}
