// Converts between the proto's enum numbers and the router's names.
import { RouterError } from '../core/errors.ts';
import type { Detail as DetailName } from '../core/inference.ts';
import type { CacheStatusName } from '../core/observer.ts';
import type { BreakerState as BreakerStateName } from '../engines/breaker.ts';
import type { EngineState as EngineStateName } from '../core/engine-state.ts';
import { BreakerState, EngineState } from '../generated/tandem/v1/engines.ts';
import {
  BallotOutcome,
  CacheMode,
  CacheStatus,
  Detail,
  EngineKind,
  Grade,
  Strategy,
  cacheModeToJSON,
  detailToJSON,
  strategyToJSON,
} from '../generated/tandem/v1/types.ts';
import type { Grade as GradeName } from '../routing/answer.ts';
import type { CacheModeName } from '../routing/question.ts';
import { STRATEGIES, type StrategyName } from '../strategies/registry.ts';
import type { BallotOutcome as BallotOutcomeName } from '../voting/verdict.ts';

/** Undefined for STRATEGY_UNSPECIFIED. */
export function toStrategyName(strategy: Strategy): StrategyName | undefined {
  if (strategy === Strategy.STRATEGY_UNSPECIFIED) return undefined;
  const name = strategyToJSON(strategy).slice('STRATEGY_'.length);
  if (Object.hasOwn(STRATEGIES, name)) return name as StrategyName;
  throw unknown('strategy', strategy, Object.keys(STRATEGIES).map(strategyField));
}

export function toCacheMode(mode: CacheMode): CacheModeName {
  if (mode === CacheMode.CACHE_MODE_UNSPECIFIED) return 'USE';
  const name = cacheModeToJSON(mode).slice('CACHE_MODE_'.length);
  if (name === 'USE' || name === 'BYPASS' || name === 'REFRESH') return name;
  throw unknown('cache', mode, ['CACHE_MODE_USE', 'CACHE_MODE_BYPASS', 'CACHE_MODE_REFRESH']);
}

export function toDetail(detail: Detail): DetailName {
  if (detail === Detail.DETAIL_UNSPECIFIED) return 'SUMMARY';
  const name = detailToJSON(detail).slice('DETAIL_'.length);
  if (name === 'SUMMARY' || name === 'LAYERS' || name === 'RASTER' || name === 'READOUT') return name;
  throw unknown('detail', detail, ['DETAIL_SUMMARY', 'DETAIL_LAYERS', 'DETAIL_RASTER', 'DETAIL_READOUT']);
}

export function fromStrategy(name: StrategyName): Strategy {
  return Strategy[strategyField(name)];
}

export function fromKind(kind: 'local' | 'sidecar'): EngineKind {
  return kind === 'local' ? EngineKind.ENGINE_KIND_LOCAL : EngineKind.ENGINE_KIND_SIDECAR;
}

export function fromCacheStatus(status: CacheStatusName): CacheStatus {
  return CacheStatus[`CACHE_STATUS_${status}`];
}

export function fromGrade(grade: GradeName | 'STALE'): Grade {
  return Grade[`GRADE_${grade}`];
}

export function fromBallotOutcome(outcome: BallotOutcomeName): BallotOutcome {
  return BallotOutcome[`BALLOT_OUTCOME_${outcome}`];
}

export function fromEngineState(state: EngineStateName): EngineState {
  return EngineState[`ENGINE_STATE_${state}`];
}

export function fromBreakerState(state: BreakerStateName): BreakerState {
  return BreakerState[`BREAKER_STATE_${state}`];
}

function strategyField(name: string): `STRATEGY_${StrategyName}` {
  return `STRATEGY_${name as StrategyName}`;
}

function unknown(field: string, value: number, known: readonly string[]): RouterError {
  const message = `${field} ${value} is not known; send one of ${known.join(', ')}`;
  return new RouterError('INVALID_FIELD', message, { field });
}
