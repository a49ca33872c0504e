// EngineAdminService: shows and changes the pool.
import { RouterError } from '../core/errors.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { PooledEngine } from '../engines/pooled-engine.ts';
import {
  type DrainEngineRequest,
  type DrainEngineResponse,
  EngineAdminServiceService,
  type EngineStatus,
  type ListEnginesRequest,
  type ListEnginesResponse,
  type ReadmitEngineRequest,
  type ReadmitEngineResponse,
  type RegisterEngineRequest,
  type RegisterEngineResponse,
  type RemoveEngineRequest,
  type RemoveEngineResponse,
  type ReplayInputRequest,
  type ReplayInputResponse,
  type SetStrategyRequest,
  type SetStrategyResponse,
} from '../generated/tandem/v1/engines.ts';
import type { Method } from '../grpc/method.ts';
import type { Router } from '../routing/router.ts';
import { fromBreakerState, fromEngineState, fromKind, fromStrategy, toStrategyName } from './enums.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { replayHandler } from './replay.ts';
import { checkEngineId, checkPlain, checkRegister, checkReplay } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

export const engineAdminService = decoding(EngineAdminServiceService, {
  listEngines: checkPlain,
  registerEngine: checkRegister,
  removeEngine: checkEngineId,
  drainEngine: checkEngineId,
  readmitEngine: checkEngineId,
  setStrategy: checkPlain,
  replayInput: checkReplay,
});

export interface EngineAdminOptions extends UnaryOptions {
  /** Ends an engine's quarantine. */
  readonly trust: (engine: PooledEngine) => void;
  /** Names of engines with a problem, and the problem. */
  readonly names?: () => readonly { readonly name: string; readonly why: string }[];
  /** Adds a sidecar and tries to connect once. Throws INVALID_FIELD, ENGINE_EXISTS or ENGINE_LIMIT. */
  readonly register: (id: string, address: string) => Promise<PooledEngine>;
  /** Called when the strategy has changed, and with it the condition for being ready. */
  readonly strategyChanged: () => void;
}

export function engineAdminMethods(router: Router, pool: EnginePool, options: EngineAdminOptions): Method[] {
  return methodsOf(engineAdminService, {
    listEngines: unary<ListEnginesRequest, ListEnginesResponse>(options, (_request, { startedMs }) => ({
      engines: pool.engines.map(toStatus),
      strategy: fromStrategy(router.strategy),
      nameProblems: [...(options.names?.() ?? [])],
      processingTimeMs: performance.now() - startedMs,
    })),
    registerEngine: unary<RegisterEngineRequest, RegisterEngineResponse>(
      options,
      async ({ engineId, address }, { startedMs }) => ({
        engine: toStatus(await options.register(engineId, address)),
        processingTimeMs: performance.now() - startedMs,
      }),
    ),
    removeEngine: unary<RemoveEngineRequest, RemoveEngineResponse>(options, ({ engineId }, { startedMs }) => {
      const engine = toStatus(pool.find(engineId));
      // The engine finishes its requests in flight; the caller does not wait for that.
      void pool.remove(engineId).engine.stop();
      return { engine, processingTimeMs: performance.now() - startedMs };
    }),
    drainEngine: unary<DrainEngineRequest, DrainEngineResponse>(options, ({ engineId }, { startedMs }) => ({
      engine: setDraining(pool, engineId, true),
      processingTimeMs: performance.now() - startedMs,
    })),
    readmitEngine: unary<ReadmitEngineRequest, ReadmitEngineResponse>(options, ({ engineId }, { startedMs }) => ({
      engine: readmit(pool, engineId, options),
      processingTimeMs: performance.now() - startedMs,
    })),
    setStrategy: unary<SetStrategyRequest, SetStrategyResponse>(options, ({ strategy }, { startedMs }) => {
      const name = toStrategyName(strategy);
      if (name === undefined) {
        throw new RouterError('INVALID_FIELD', 'strategy is not set; name one', { field: 'strategy' });
      }
      const previous = fromStrategy(router.strategy);
      router.strategy = name;
      options.strategyChanged();
      return { previous, processingTimeMs: performance.now() - startedMs };
    }),
    replayInput: unary<ReplayInputRequest, ReplayInputResponse>(options, replayHandler(pool)),
  });
}

function readmit(pool: EnginePool, engineId: string, { trust }: EngineAdminOptions): EngineStatus {
  trust(pool.find(engineId));
  return setDraining(pool, engineId, false);
}

function setDraining(pool: EnginePool, engineId: string, isDraining: boolean): EngineStatus {
  const pooled = pool.find(engineId);
  pool.setDraining(pooled, isDraining);
  return toStatus(pooled);
}

function toReason({ state, engine, quarantine, duplicateOf, unusable, models }: PooledEngine): string {
  return {
    READY: models.length > 0 ? '' : 'it gets no requests yet: the router has not read any of its models so far',
    DOWN: engine.downReason,
    DRAINING: 'an operator drains it',
    QUARANTINED: quarantine,
    DUPLICATE: `it is the same process as ${duplicateOf}, which gets the requests instead`,
    UNUSABLE: unusable,
  }[state];
}

function toStatus(pooled: PooledEngine): EngineStatus {
  const { engine, breaker } = pooled;
  const hasProblem = (model: string): boolean => pooled.modelProblems.some((problem) => problem.model === model);
  const usable = pooled.models.filter((model) => model.error === '');
  return {
    id: pooled.id,
    kind: fromKind(pooled.kind),
    address: engine.address,
    state: fromEngineState(pooled.state),
    stateReason: toReason(pooled),
    build: pooled.build,
    models: usable.map((model) => `${model.name}/${model.version}`).filter((model) => !hasProblem(model)),
    inFlight: engine.inFlight,
    succeeded: BigInt(pooled.succeeded),
    failed: BigInt(pooled.failed),
    latencyMs: pooled.speed.latencyMs,
    breaker: fromBreakerState(breaker.state),
    breakerEvents: breaker.events.map(({ timeMs, state, why }) => ({
      timeMs: BigInt(timeMs),
      state: fromBreakerState(state),
      why,
    })),
    instanceId: pooled.instanceId,
    duplicateOf: pooled.duplicateOf,
    modelProblems: [...pooled.modelProblems],
  };
}
