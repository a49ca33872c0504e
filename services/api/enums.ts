// The proto's numbers for the router's words.
import { RouterError } from '../core/errors.ts';
import { EngineKind, Strategy, strategyToJSON } from '../generated/tandem/v1/types.ts';
import { STRATEGIES, type StrategyName } from '../strategies/registry.ts';

const PREFIX = 'STRATEGY_';

/** Undefined for STRATEGY_UNSPECIFIED. */
export function toStrategyName(strategy: Strategy): StrategyName | undefined {
  if (strategy === Strategy.STRATEGY_UNSPECIFIED) return undefined;
  const name = strategyToJSON(strategy).slice(PREFIX.length);
  if (Object.hasOwn(STRATEGIES, name)) return name as StrategyName;
  const known = Object.keys(STRATEGIES).map((each) => PREFIX + each);
  throw new RouterError('INVALID_FIELD', `strategy ${strategy} is not known; send one of ${known.join(', ')}`, {
    field: 'strategy',
  });
}

export function fromStrategy(name: StrategyName): Strategy {
  return Strategy[`${PREFIX}${name}`];
}

export function fromKind(kind: 'local' | 'sidecar'): EngineKind {
  return kind === 'local' ? EngineKind.ENGINE_KIND_LOCAL : EngineKind.ENGINE_KIND_SIDECAR;
}
