// Runs a row, and returns the outcome in the terms of the row.
import { BreakerState, breakerStateToJSON } from '../../../services/generated/tandem/v1/engines.ts';
import type { ReasonResponse, Tensor } from '../../../services/generated/tandem/v1/reasoning.ts';
import {
  ballotOutcomeToJSON,
  cacheStatusToJSON,
  gradeToJSON,
  strategyToJSON,
} from '../../../services/generated/tandem/v1/types.ts';
import { until } from '../../support/until.ts';
import { refusalOf } from '../../support/refusal.ts';
import { IDS, type Id, type Outcome, type Row } from './row.ts';
import type { Stage } from './stage.ts';

/** Every part of an Outcome, but for `cancelledIn`. */
export async function play({ engines = {}, earlier, ask = {}, expected }: Row, stage: Stage): Promise<Outcome> {
  const tensor = stage.nextInput();
  if (earlier === 'was answered') await stage.call({ strategy: ask.strategy ?? 'AFFINITY' }, tensor).answer;
  const conducts = Object.entries(engines) as [Id | 'local', NonNullable<(typeof engines)[Id]>][];
  for (const [id, conduct] of conducts) await stage.apply(id, conduct);
  if (earlier === 'is under way') await beginBeside(stage, tensor);
  if (earlier === 'another is under way') await beginBeside(stage, stage.nextInput());
  stage.countAnew();

  const { answer, cancel } = stage.call(ask, tensor);
  const ended = outcomeOf(answer);
  const dying = conducts.find(([, conduct]) => conduct === 'dies')?.[0] as Id | undefined;
  if (dying !== undefined) {
    await stage.taken(dying);
    await stage.kill(dying);
  }
  if (ask.cancelled) {
    await stage.taken('one');
    cancel();
  }
  if (earlier === 'is under way') {
    await until(async () => (await stage.operator.metrics()).inFlight === 2, { what: 'both under way' });
    stage.fleet.sidecar('one').resume();
  }
  const outcome = await ended;
  const givenUp = expected.cancelledIn;
  if (givenUp !== undefined) {
    await until(() => stage.fleet.front(givenUp).counts.cancelled > 0, { what: `the cancellation in ${givenUp}` });
  }
  return { ...outcome, ...(await poolAfter(stage)) };
}

/** A request of another caller that `one` has received and does not answer yet. */
async function beginBeside(stage: Stage, tensor: Tensor): Promise<void> {
  await stage.fleet.sidecar('one').pause();
  stage.beside(stage.call({ strategy: 'AFFINITY' }, tensor).answer);
  await stage.taken('one');
}

async function outcomeOf(answer: Promise<ReasonResponse>): Promise<Outcome> {
  try {
    return toOutcome(await answer);
  } catch {
    const { code, reason, field, metadata, retryAfterMs } = await refusalOf(answer);
    return { code, reason, field, tried: metadata['tried'], others: metadata['others'], retryAfterMs };
  }
}

function toOutcome({ cache, grade, strategy, engine, attempts, vote }: ReasonResponse): Outcome {
  const ballots = (vote?.ballots ?? []).map(({ engineId, outcome, why }) =>
    `${engineId} ${word(ballotOutcomeToJSON(outcome), 'BALLOT_OUTCOME_')} ${why}`.trim(),
  );
  return {
    code: 'OK',
    cache: word(cacheStatusToJSON(cache), 'CACHE_STATUS_'),
    grade: word(gradeToJSON(grade), 'GRADE_'),
    strategy: word(strategyToJSON(strategy), 'STRATEGY_'),
    engine: engine?.engineId ?? '',
    attempts: attempts.map(({ engineId, outcome }) => `${engineId} ${outcome}`).join(', '),
    ballots: ballots.sort().join(', '),
  };
}

async function poolAfter({ operator, fleet }: Stage): Promise<Pick<Outcome, 'calls' | 'blamed' | 'breakers'>> {
  const engines = await operator.engines();
  const calls = IDS.map((id) => ({ id, seen: fleet.front(id).counts.seen })).filter(({ seen }) => seen > 0);
  const open = engines.filter(({ breaker }) => breaker !== BreakerState.BREAKER_STATE_CLOSED);
  return {
    calls: calls.map(({ id, seen }) => `${id} ${seen}`).join(', '),
    blamed: engines
      .filter(({ failed }) => failed > 0n)
      .map(({ id, failed }) => `${id} ${failed}`)
      .join(', '),
    breakers: open.map(({ id, breaker }) => `${id} ${word(breakerStateToJSON(breaker), 'BREAKER_STATE_')}`).join(', '),
  };
}

function word(name: string, prefix: string): string {
  return name.slice(prefix.length);
}
