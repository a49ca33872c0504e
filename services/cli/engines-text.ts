// The engines as a table, and below it the reason for each problem.
import {
  breakerStateToJSON,
  BreakerState,
  engineStateToJSON,
  EngineState,
  type EngineStatus,
  type NameProblem,
} from '../generated/tandem/v1/engines.ts';
import { engineKindToJSON } from '../generated/tandem/v1/types.ts';
import { table } from './table.ts';
import { plain } from './words.ts';

const HEAD = [
  'ENGINE',
  'KIND',
  'ADDRESS',
  'STATE',
  'BREAKER',
  'MODELS',
  'IN FLIGHT',
  'ANSWERED',
  'FAILED',
  'MEAN MS',
  'BUILD',
];

export function describeEngines(engines: readonly EngineStatus[], names: readonly NameProblem[] = []): string {
  const problems = names.map(({ name, why }) => `name ${name}: ${why}`);
  return [table(HEAD, engines.map(row)), ...engines.flatMap(reasons), ...problems].join('\n');
}

function row(engine: EngineStatus): (string | number)[] {
  return [
    engine.id,
    plain(engineKindToJSON(engine.kind), 'ENGINE_KIND_'),
    engine.address,
    plain(engineStateToJSON(engine.state), 'ENGINE_STATE_'),
    plain(breakerStateToJSON(engine.breaker), 'BREAKER_STATE_'),
    engine.models.join(' ') || '-',
    engine.inFlight,
    Number(engine.succeeded),
    Number(engine.failed),
    Number(engine.latencyMs.toFixed(2)),
    engine.build,
  ];
}

function reasons({ id, state, stateReason, breaker, breakerEvents, modelProblems }: EngineStatus): string[] {
  const event = breakerEvents.at(-1);
  const isTroubled = breaker === BreakerState.BREAKER_STATE_OPEN || breaker === BreakerState.BREAKER_STATE_HALF_OPEN;
  return [
    ...(stateReason ? [`${id}: ${stateReason}`] : []),
    ...(isTroubled && event
      ? [`${id}: breaker ${plain(breakerStateToJSON(breaker), 'BREAKER_STATE_')}: ${event.why}`]
      : []),
    // The reason of an unusable engine already includes them.
    ...(state === EngineState.ENGINE_STATE_UNUSABLE ? [] : modelProblems).map(
      ({ model, why }) => `${id}: does not serve ${model}: ${why}`,
    ),
  ];
}
