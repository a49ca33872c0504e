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
} from '../generated/tandem/v1/types.ts';
import type { Grade as GradeName } from '../routing/answer.ts';
import type { CacheModeName } from '../routing/question.ts';
import { STRATEGIES, type StrategyName } from '../strategies/registry.ts';
import type { BallotOutcome as BallotOutcomeName } from '../voting/verdict.ts';

// Tables, made once: these functions run for each request, and a name that is built then must be hashed again for every
// look-up.

const STRATEGY_NAMES: ReadonlyMap<Strategy, StrategyName> = new Map(
  (Object.keys(STRATEGIES) as StrategyName[]).map((name) => [Strategy[strategyField(name)], name]),
);
const STRATEGY_NUMBERS: ReadonlyMap<StrategyName, Strategy> = new Map(
  [...STRATEGY_NAMES].map(([number, name]) => [name, number]),
);

const CACHE_MODES: ReadonlyMap<CacheMode, CacheModeName> = new Map<CacheMode, CacheModeName>([
  [CacheMode.CACHE_MODE_UNSPECIFIED, 'USE'],
  [CacheMode.CACHE_MODE_USE, 'USE'],
  [CacheMode.CACHE_MODE_BYPASS, 'BYPASS'],
  [CacheMode.CACHE_MODE_REFRESH, 'REFRESH'],
]);

const DETAILS: ReadonlyMap<Detail, DetailName> = new Map<Detail, DetailName>([
  [Detail.DETAIL_UNSPECIFIED, 'SUMMARY'],
  [Detail.DETAIL_SUMMARY, 'SUMMARY'],
  [Detail.DETAIL_LAYERS, 'LAYERS'],
  [Detail.DETAIL_RASTER, 'RASTER'],
  [Detail.DETAIL_READOUT, 'READOUT'],
]);

const CACHE_STATUS_NUMBERS: Readonly<Record<CacheStatusName, CacheStatus>> = {
  HIT: CacheStatus.CACHE_STATUS_HIT,
  MISS: CacheStatus.CACHE_STATUS_MISS,
  COALESCED: CacheStatus.CACHE_STATUS_COALESCED,
  STALE: CacheStatus.CACHE_STATUS_STALE,
  BYPASSED: CacheStatus.CACHE_STATUS_BYPASSED,
};

const GRADE_NUMBERS: Readonly<Record<GradeName | 'STALE', Grade>> = {
  UNANIMOUS: Grade.GRADE_UNANIMOUS,
  MAJORITY: Grade.GRADE_MAJORITY,
  PLURALITY: Grade.GRADE_PLURALITY,
  SINGLE: Grade.GRADE_SINGLE,
  STALE: Grade.GRADE_STALE,
};

/** Undefined for STRATEGY_UNSPECIFIED. */
export function toStrategyName(strategy: Strategy): StrategyName | undefined {
  if (strategy === Strategy.STRATEGY_UNSPECIFIED) return undefined;
  const name = STRATEGY_NAMES.get(strategy);
  if (name !== undefined) return name;
  throw unknown('strategy', strategy, Object.keys(STRATEGIES).map(strategyField));
}

export function toCacheMode(mode: CacheMode): CacheModeName {
  const name = CACHE_MODES.get(mode);
  if (name !== undefined) return name;
  throw unknown('cache', mode, ['CACHE_MODE_USE', 'CACHE_MODE_BYPASS', 'CACHE_MODE_REFRESH']);
}

export function toDetail(detail: Detail): DetailName {
  const name = DETAILS.get(detail);
  if (name !== undefined) return name;
  throw unknown('detail', detail, ['DETAIL_SUMMARY', 'DETAIL_LAYERS', 'DETAIL_RASTER', 'DETAIL_READOUT']);
}

export function fromStrategy(name: StrategyName): Strategy {
  return STRATEGY_NUMBERS.get(name)!;
}

export function fromKind(kind: 'local' | 'sidecar'): EngineKind {
  return kind === 'local' ? EngineKind.ENGINE_KIND_LOCAL : EngineKind.ENGINE_KIND_SIDECAR;
}

export function fromCacheStatus(status: CacheStatusName): CacheStatus {
  return CACHE_STATUS_NUMBERS[status];
}

export function fromGrade(grade: GradeName | 'STALE'): Grade {
  return GRADE_NUMBERS[grade];
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
