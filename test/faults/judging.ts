// Judges scenarios with one wrong engine among correct ones: the answers of callers, and the state of the engine.
import { BreakerState, EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { BallotOutcome, Strategy } from '../../services/generated/tandem/v1/types.ts';
import type { EngineLie } from '../fakes/lies.ts';
import { DisputeFile } from '../support/dispute-file.ts';
import { type LoadRequest, type LoadResult, closedLoad } from '../support/load.ts';
import { Operator } from '../support/operator.ts';
import { answerKey } from '../support/answer-key.ts';
import { until } from '../support/until.ts';
import { type Outcome, failures } from './scenario.ts';
import type { Caller, Router, Stage } from './stage.ts';

/** The wrong engine continues to vote: if it is quarantined, it is readmitted. */
export const NEVER_OUT = { quarantine: { dissents: 1_000, window_ms: 1_000, sit_out_ms: 10, sit_out_max_ms: 10 } };
export const STAYS_OUT = { quarantine: { sit_out_ms: 300_000 } };
/** Dissents come faster than the least watchful quarantine overlooks. */
const READMIT_EVERY_MS = 100;
const IN_FLIGHT = 16;
/** An engine that dissents in none of this number of votes is harmless. */
const VOTES_UNTIL_OUT = 400;

/** FASTEST first: it asks engines above all that have never answered. */
export const SINGLE_STRATEGIES = ['FASTEST', 'HEDGED', 'ROUND_ROBIN'] as const;
export type StrategyName = (typeof SINGLE_STRATEGIES)[number] | 'REDUNDANT';

export interface Heard {
  readonly requests: number;
  readonly wrong: number;
  /** By status and reason. */
  readonly failed: Record<string, number>;
}

interface PutOut {
  readonly isOut: boolean;
  /** Recorded disputes that name it as wrong. */
  readonly dissents: number;
  readonly votes: number;
}

/** `total` requests, past the cache. */
export function ask(
  stage: Stage,
  system: Caller,
  strategy: StrategyName,
  total: number,
  inFlight = IN_FLIGHT,
): Promise<LoadResult> {
  const request = { strategy: Strategy[`STRATEGY_${strategy}`] };
  return closedLoad({ system, inputs: stage.inputs, request, total, inFlight: Math.min(inFlight, total) }).finished;
}

export function judged({ requests }: LoadResult, truths: readonly string[]): Heard {
  return { requests: requests.length, wrong: wrongOf(requests, truths), failed: failures(requests) };
}

export function wrongOf(requests: readonly LoadRequest[], truths: readonly string[]): number {
  return requests.filter(({ response, input }) => response !== undefined && answerKey(response) !== truths[input])
    .length;
}

/** Ballots against the verdict. */
export function dissentsOf({ requests }: LoadResult): number {
  return requests
    .flatMap(({ response }) => response?.vote?.ballots ?? [])
    .filter(({ outcome }) => outcome === BallotOutcome.BALLOT_OUTCOME_DISSENTED).length;
}

/** Runs `load`, and readmits engine-1 whenever it is quarantined. */
export async function whileReadmitted<T>({ adminAddress }: Router, load: () => Promise<T>): Promise<T> {
  const operator = new Operator(adminAddress);
  const readmission = setInterval(() => void readmit(operator).catch(() => undefined), READMIT_EVERY_MS);
  try {
    return await load();
  } finally {
    clearInterval(readmission);
    operator.close();
  }
}

async function readmit(operator: Operator): Promise<void> {
  if (await isQuarantined(operator)) await operator.readmit('engine-1');
}

async function isQuarantined(operator: Operator): Promise<boolean> {
  return (await operator.engine('engine-1')).state === EngineState.ENGINE_STATE_QUARANTINED;
}

/** Quarantined, or refused requests by its breaker. */
async function isKeptOut(operator: Operator): Promise<boolean> {
  const { state, breaker } = await operator.engine('engine-1');
  return state !== EngineState.ENGINE_STATE_READY || breaker !== BreakerState.BREAKER_STATE_CLOSED;
}

/** Votes, one after the other, until engine-1 is excluded. */
async function untilOut(stage: Stage, engines: readonly Addressed[]): Promise<PutOut> {
  const disputes = new DisputeFile();
  const router = await stage.router({ ...WRONG_ENGINE_SETTINGS, ...STAYS_OUT, disputes: disputes.settings }, engines);
  const requests: LoadRequest[] = [];
  let isOut = false;
  while (!isOut && requests.length < VOTES_UNTIL_OUT) {
    requests.push(...(await ask(stage, router, 'REDUNDANT', 1)).requests);
    isOut = await isKeptOut(router.operator);
  }
  await router.stop(); // every record is written
  return { isOut, dissents: disputes.against('engine-1').length, votes: requests.length };
}

interface Addressed {
  readonly address: string;
}

export interface Cell extends PutOut {
  readonly name: string;
  readonly votes_heard: Heard;
  /** Requests without a vote, by strategy. */
  readonly single: Record<string, Heard>;
}

/** Of the router, for playWrongEngine. */
export const WRONG_ENGINE_SETTINGS = { strategy: 'REDUNDANT', vote: { audit_rate: 0.05 }, slow_start_ms: 0 };

interface CellOptions {
  readonly name: string;
  /** engine-1 is the wrong one. */
  readonly engines: readonly Addressed[];
  readonly truths: readonly string[];
  /** Requests in votes, and the same number without, all strategies together. */
  readonly count: number;
}

/** Requests without a vote, votes with the wrong engine taking part in all of them, and votes until it is out. */
export async function playWrongEngine(stage: Stage, options: CellOptions): Promise<Cell> {
  const { name, engines, truths, count } = options;
  const router = await stage.router({ ...WRONG_ENGINE_SETTINGS, ...NEVER_OUT }, engines);
  const single: Record<string, Heard> = {};
  const voted = await whileReadmitted(router, async () => {
    for (const strategy of SINGLE_STRATEGIES) {
      const each = Math.ceil(count / SINGLE_STRATEGIES.length);
      single[strategy] = judged(await ask(stage, router, strategy, each), truths);
    }
    return await ask(stage, router, 'REDUNDANT', count);
  });
  await router.stop();
  const out = await untilOut(stage, engines);
  const cell = { name, votes_heard: judged(voted, truths), ...out, single };
  stage.progress(JSON.stringify(cell));
  return cell;
}

interface Sums {
  readonly votes: number;
  readonly wrong: number;
  readonly failed: number;
  readonly single: number;
  readonly singleWrong: number;
  /** Without a vote every failure is a wrong refusal: the inputs are valid, and two engines are correct. */
  readonly singleFailed: number;
  /** Names of cells with an engine that dissented but was not excluded. */
  readonly stillIn: readonly string[];
  /** Names of cells whose engine never dissented. */
  readonly harmless: readonly string[];
  readonly mostDissents: number;
}

export const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

export function sumUp(cells: readonly Cell[]): Sums {
  const failedOf = ({ failed }: Heard): number => total(Object.values(failed));
  const singles = cells.flatMap(({ single }) => Object.values(single));
  return {
    votes: total(cells.map(({ votes_heard }) => votes_heard.requests)),
    wrong: total(cells.map(({ votes_heard }) => votes_heard.wrong)),
    failed: total(cells.map(({ votes_heard }) => failedOf(votes_heard))),
    single: total(singles.map(({ requests }) => requests)),
    singleWrong: total(singles.map(({ wrong }) => wrong)),
    singleFailed: total(singles.map(failedOf)),
    stillIn: cells.filter(({ isOut, dissents }) => !isOut && dissents > 0).map(({ name }) => name),
    harmless: cells.filter(({ dissents }) => dissents === 0).map(({ name }) => name),
    mostDissents: Math.max(...cells.map(({ dissents }) => dissents)),
  };
}

export const DISSENTS_BAR = 10;

export function describeSums(sums: Sums): string {
  const { votes, wrong, failed, single, singleWrong, singleFailed, stillIn, harmless, mostDissents } = sums;
  const names = (what: string, list: readonly string[]): string =>
    list.length === 0 ? '' : `; ${what}: ${list.join(', ')}`;
  return (
    `${wrong} wrong and ${failed} failed of ${votes} votes; out after ${mostDissents} dissents at most; ` +
    `${singleWrong} wrong and ${singleFailed} failed of ${single} without a vote` +
    names('still in', stillIn) +
    names('never dissented', harmless)
  );
}

/** `hasRightSingles`: a wrong answer is detectable without a vote, so such requests must be right, too. */
export function passes(sums: Sums, hasRightSingles: boolean): boolean {
  const { wrong, failed, singleWrong, singleFailed, stillIn, mostDissents } = sums;
  const isRight = wrong === 0 && failed === 0 && singleFailed === 0 && (!hasRightSingles || singleWrong === 0);
  return isRight && stillIn.length === 0 && mostDissents <= DISSENTS_BAR;
}

/** Waits until every engine of the router has been seen once. */
export async function untilConnected(operator: Operator, ids: readonly string[]): Promise<void> {
  const isConnected = async (): Promise<boolean> => {
    const engines = await operator.engines();
    return ids.every((id) => engines.some((engine) => engine.id === id && engine.build !== ''));
  };
  await until(isConnected, { what: 'every engine to be connected' });
}

/** A cell for each lie of one programmable engine beside two honest ones; `requests` in all, or --count. */
export async function playLies(stage: Stage, lies: readonly EngineLie[], requests: number): Promise<Outcome> {
  const truths = await stage.truths();
  const [one, two, behind] = await stage.sidecars(3);
  const liar = await stage.programmable(behind!);
  const count = Math.ceil((stage.options.count ?? requests) / lies.length);
  const cells: Cell[] = [];
  for (const { name, tamper } of lies) {
    liar.tamper = tamper;
    cells.push(await playWrongEngine(stage, { name, engines: [liar, one!, two!], truths, count }));
  }
  const sums = sumUp(cells);
  return {
    figures: { cells, sums },
    measured: describeSums(sums),
    passed: passes(sums, true) && sums.harmless.length === 0,
    missed: [],
  };
}
