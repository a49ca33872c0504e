// Plan: selects the usable engines and their order.
import { RouterError } from '../../core/errors.ts';
import type { EnginePool } from '../../engines/pool.ts';
import type { PooledEngine } from '../../engines/pooled-engine.ts';
import { STRATEGIES, type StrategyName } from '../../strategies/registry.ts';
import { noEngine } from '../no-engine.ts';
import type { RoutedRequest } from '../routed-request.ts';
import { applySlowStart } from '../slow-start.ts';
import type { Step } from '../stage.ts';

/** `inFlight`: current requests in flight. Throws NO_ENGINE. */
export function plan(pool: EnginePool, inFlight: () => number): Step {
  const turns: Partial<Record<StrategyName, number>> = {};
  const nextTurn = (strategy: StrategyName): number => {
    const turn = turns[strategy] ?? 0;
    turns[strategy] = turn + 1;
    return turn;
  };

  return (request) => {
    const { found, strategy, options, policy } = request;
    const { heldAs, version } = found.version;
    // Looked up again: while the request waited, an engine may have returned.
    request.candidates = pool.candidates(heldAs, version, pool.holders(heldAs, version));
    if (request.candidates.length === 0) throw noEngine(pool, request.attempts);
    if (request.session !== undefined) request.candidates = takingStates(request);
    const planned = order(request, nextTurn(strategy), inFlight());
    request.plan = policy === undefined ? preferFreeEngines(planned) : planned;
    options.observer.planned(strategy);
    options.budget.deposit();
  };
}

/** An engine without support for states would start at step 0. Throws NO_ENGINE. */
function takingStates({ candidates, found }: RoutedRequest): readonly PooledEngine[] {
  const able = candidates.filter(({ engine }) => engine.description?.sessionStates);
  if (able.length > 0) return able;
  const ids = candidates.map(({ id }) => id).join(', ');
  const message = `no engine that holds ${found.key} can go on from a session's state; newer builds can (asked for: ${ids})`;
  throw new RouterError('NO_ENGINE', message);
}

function order(request: RoutedRequest, turn: number, inFlight: number): readonly PooledEngine[] {
  const { strategy, candidates, options } = request;
  const { localFirstShare, sidecarFirstShare, slowStartMs = 0 } = options;
  const questionHash = (): bigint => request.hash;
  const { random } = Math;
  const engines = candidates;
  // No spread: this runs for each request.
  const planned = STRATEGIES[strategy]({ engines, turn, localFirstShare, sidecarFirstShare, random, questionHash });
  const nowMs = performance.now();
  return applySlowStart(planned, { strategy, slowStartMs, nowMs, inFlight, random });
}

/** Engines with free slots first, otherwise in the planned order. */
function preferFreeEngines(planned: readonly PooledEngine[]): readonly PooledEngine[] {
  if (planned.every(hasFreeSlot)) return planned;
  return [...planned.filter(hasFreeSlot), ...planned.filter((engine) => !hasFreeSlot(engine))];
}

function hasFreeSlot({ availableSlots }: PooledEngine): boolean {
  return availableSlots > 0;
}
