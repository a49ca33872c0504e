import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Ballot, ReasonRequest, ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { BallotOutcome, Grade, Strategy, ballotOutcomeToJSON } from '../../services/generated/tandem/v1/types.ts';
import { type Lie, addSpike, answerNaN, flipDigestBit } from '../fakes/lying-engine.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet, Inputs } from './router-table/fleet.ts';
import { Operator } from '../support/operator.ts';

const REDUNDANT = Strategy.STRATEGY_REDUNDANT;
const { BALLOT_OUTCOME_AGREED: AGREED, BALLOT_OUTCOME_DISSENTED: DISSENTED } = BallotOutcome;

const IDS = ['one', 'two', 'three', 'four'] as const;
type Id = (typeof IDS)[number];

const inputs = new Inputs();
let fleet: Fleet<Id>;
let system: System;
let operator: Operator;

beforeAll(async () => {
  fleet = await Fleet.start(IDS);
});

afterAll(async () => {
  await fleet.stop();
});

afterEach(async () => {
  fleet.behave();
  operator.close();
  await system.stop();
});

/** A router with the first `count` engines. Every request asks three of them for a vote. */
async function start(count: number, over: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({
    strategy: 'REDUNDANT',
    local: { enabled: false },
    cache: { enabled: false },
    sidecars: fleet.settings.slice(0, count),
    spawn: { count: 0 },
    // A hundred votes at once are much for two slow cores; another test is about refusals.
    overload: { max_wait_ms: 60_000 },
    // The test kills one of two stopped engines; the other one must not time out.
    stall_timeout_ms: 10_000,
    // A lying engine continues to vote here; another test is about its quarantine.
    quarantine: { dissents: 1_000 },
    ...over,
  });
  operator = new Operator(system.adminAddress);
}

/** The answer of one engine, which must still be correct. */
function truthOf(request: Partial<ReasonRequest>): Promise<ReasonResponse> {
  return system.reason({ ...request, strategy: Strategy.STRATEGY_ROUND_ROBIN });
}

/**
 * After a vote is decided, it waits half as long again for the other ballots. These engines answer late, so all others
 * have voted by then, and none is absent only because this machine was busy.
 */
function delay(ids: readonly Id[], delayMs = 50): void {
  for (const id of ids) fleet.front(id).delayMs = delayMs;
}

const answerKey = ({ stateDigest, spikeCounts, scores, label }: ReasonResponse): unknown[] => [
  stateDigest,
  spikeCounts,
  scores,
  label,
];

/** The ballots in alphabetical order, such as "one AGREED" or "two ABSENT ENGINE_LOST". */
function ballotsOf({ vote }: ReasonResponse): string[] {
  const text = ({ engineId, outcome, why }: Ballot): string =>
    `${engineId} ${ballotOutcomeToJSON(outcome).replace('BALLOT_OUTCOME_', '')} ${why}`.trim();
  return (vote?.ballots ?? []).map(text).sort();
}

describe('three honest engines', () => {
  it('agree: UNANIMOUS, with three ballots of one digest', async () => {
    await start(3);
    delay(['one', 'two', 'three']);
    const answer = await system.reason(inputs.request());
    expect([answer.grade, answer.strategy]).toEqual([Grade.GRADE_UNANIMOUS, REDUNDANT]);
    expect(new Set(answer.vote?.ballots.map(({ stateDigest }) => stateDigest))).toEqual(new Set([answer.stateDigest]));
    const askedIds = answer.vote?.ballots.map(({ engineId }) => engineId).sort();
    expect(askedIds).toEqual(['one', 'three', 'two']);
  });

  it('may be of both kinds', async () => {
    await start(2, { local: { enabled: true } });
    delay(['one', 'two']);
    const answer = await system.reason(inputs.request());
    expect(answer.vote?.ballots.map(({ engineId }) => engineId).sort()).toEqual(['local', 'one', 'two']);
    expect(answer.grade).toBe(Grade.GRADE_UNANIMOUS);
  });

  it('are of three of the engines, in turn', async () => {
    await start(4);
    const askedIds = new Set<string>();
    for (let turn = 0; turn < 4; turn += 1) {
      const { vote } = await system.reason(inputs.request());
      expect(vote?.ballots).toHaveLength(3);
      for (const { engineId } of vote!.ballots) askedIds.add(engineId);
    }
    expect(askedIds).toEqual(new Set(IDS));
  });

  it('are not given for a request to one engine', async () => {
    await start(3);
    const answer = await system.reason(inputs.request({ strategy: Strategy.STRATEGY_ROUND_ROBIN }));
    expect([answer.grade, answer.vote]).toEqual([Grade.GRADE_SINGLE, undefined]);
  });
});

describe('one liar of three', () => {
  it.each<[string, Lie]>([
    ['in its digest', flipDigestBit],
    ['in its spikes, with the true digest', addSpike],
  ])('%s never wins, and the ballots show it: MAJORITY', async (_name, lie) => {
    await start(3);
    const requests = Array.from({ length: 100 }, () => inputs.request());
    const truths = await Promise.all(requests.map(truthOf));
    fleet.front('two').lie = lie;
    delay(['one', 'three'], 100);
    const answers = await Promise.all(requests.map((request) => system.reason(request)));
    expect(answers.map(answerKey)).toEqual(truths.map(answerKey));
    const expected = [Grade.GRADE_MAJORITY, ['one AGREED', 'three AGREED', 'two DISSENTED']];
    expect(answers.map((answer) => [answer.grade, ballotsOf(answer)])).toEqual(answers.map(() => expected));
    expect(fleet.front('two').counts.lied).toBe(100);
  });

  it('never wins with NaN potentials, which are no valid answer', async () => {
    await start(3);
    const requests = Array.from({ length: 100 }, () => inputs.request());
    const truths = await Promise.all(requests.map(truthOf));
    fleet.front('two').lie = answerNaN;
    const answers = await Promise.all(requests.map((request) => system.reason(request)));
    expect(answers.map(answerKey)).toEqual(truths.map(answerKey));
    expect(answers.flatMap(ballotsOf)).not.toContain('two AGREED');
  });

  it('never wins if it may be too late to be counted', async () => {
    await start(3);
    const requests = Array.from({ length: 100 }, () => inputs.request());
    const truths = await Promise.all(requests.map(truthOf));
    fleet.front('two').lie = flipDigestBit;
    for (const [at, request] of requests.entries()) {
      expect(answerKey(await system.reason(request))).toEqual(answerKey(truths[at]!));
    }
  });

  it('is shown with its digest', async () => {
    await start(3);
    fleet.front('two').lie = flipDigestBit;
    delay(['one', 'three']);
    const { stateDigest, vote } = await system.reason(inputs.request());
    expect(vote?.ballots.find(({ engineId }) => engineId === 'two')).toMatchObject({
      outcome: DISSENTED,
      stateDigest: stateDigest ^ 1n,
      why: '',
    });
  });

  it('is counted by the metrics', async () => {
    await start(3);
    fleet.front('two').lie = addSpike;
    delay(['one', 'three']);
    for (let turn = 0; turn < 3; turn += 1) await system.reason(inputs.request());
    const { votes, engines } = await operator.metrics();
    expect(votes).toMatchObject({ unanimous: 0n, majority: 3n, disputed: 0n, tooFew: 0n });
    expect(engines.map(({ engineId, dissents }) => [engineId, dissents])).toEqual([
      ['one', 0n],
      ['two', 3n],
      ['three', 0n],
    ]);
  });
});

describe('more lying than correct engines', () => {
  it('with equal lies are the majority, and the correct engine dissents', async () => {
    await start(3);
    const request = inputs.request();
    const truth = await truthOf(request);
    for (const id of ['one', 'two'] as const) fleet.front(id).lie = flipDigestBit;
    delay(['one', 'two']);
    const answer = await system.reason(request);
    expect(answer.stateDigest).toBe(truth.stateDigest ^ 1n);
    expect([answer.grade, ballotsOf(answer)]).toEqual([
      Grade.GRADE_MAJORITY,
      ['one AGREED', 'three DISSENTED', 'two AGREED'],
    ]);
  });

  it('with different lies leave no majority: VOTE_DISPUTED, with every digest', async () => {
    await start(3);
    fleet.front('one').lie = flipDigestBit;
    fleet.front('two').lie = addSpike;
    const refusal = await refusalOf(system.reason(inputs.request()));
    expect(refusal).toMatchObject({ code: 'ABORTED', reason: 'VOTE_DISPUTED' });
    for (const id of ['one', 'two', 'three']) expect(refusal.message).toMatch(new RegExp(`${id}: [0-9a-f]{16}`));
    expect((await operator.metrics()).votes?.disputed).toBe(1n);
  });
});

describe('too few engines', () => {
  it.each([
    ['one', 1],
    ['none', 0],
  ])('%s: no vote, and no unchecked answer', async (_name, ready) => {
    await start(1);
    if (ready === 0) await operator.drain('one');
    const refusal = await refusalOf(system.reason(inputs.request()));
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', reason: ready === 0 ? 'NO_ENGINE' : 'VOTE_TOO_FEW' });
  });

  it('two of three are enough if they agree', async () => {
    await start(2);
    const answer = await system.reason(inputs.request());
    expect([answer.grade, ballotsOf(answer)]).toEqual([Grade.GRADE_UNANIMOUS, ['one AGREED', 'two AGREED']]);
  });

  it('two that contradict each other dispute the vote', async () => {
    await start(2);
    fleet.front('one').lie = flipDigestBit;
    expect(await refusalOf(system.reason(inputs.request()))).toMatchObject({
      code: 'ABORTED',
      reason: 'VOTE_DISPUTED',
    });
  });
});

describe('a voter that is killed during a vote', () => {
  /** Sends a request while all are stopped, kills `lost`, and resumes the others. */
  async function askAndLose(
    lost: Id,
    voters: readonly Id[],
    meanwhile: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<ReasonResponse> {
    for (const id of voters) await fleet.sidecar(id).pause();
    const answer = system.reason(inputs.request());
    await until(() => voters.every((id) => fleet.front(id).counts.seen > 0), { what: 'every voter to be asked' });
    await fleet.sidecar(lost).kill();
    await until(() => system.pool.find(lost).state === 'DOWN', { what: 'the loss' });
    await meanwhile();
    for (const id of voters) if (id !== lost) fleet.sidecar(id).resume();
    return await answer;
  }

  afterEach(async () => {
    await fleet.restart('one');
  });

  it('is replaced by an engine that was not asked', async () => {
    await start(4);
    const answer = await askAndLose('one', ['one', 'two', 'three'], () =>
      until(() => fleet.front('four').counts.answered === 1, { what: 'the vote of the fourth' }),
    );
    expect(ballotsOf(answer)).toContain('one ABSENT ENGINE_LOST');
    const four = answer.vote?.ballots.find(({ engineId }) => engineId === 'four');
    expect(four).toMatchObject({ outcome: AGREED, stateDigest: answer.stateDigest });
    expect(answer.grade).toBe(Grade.GRADE_UNANIMOUS);
  });

  it('is ABSENT, with the reason, if there is no other engine', async () => {
    await start(3);
    const answer = await askAndLose('one', ['one', 'two', 'three']);
    expect([answer.grade, ballotsOf(answer)]).toEqual([
      Grade.GRADE_UNANIMOUS,
      ['one ABSENT ENGINE_LOST', 'three AGREED', 'two AGREED'],
    ]);
    expect(answer.vote?.ballots.find(({ engineId }) => engineId === 'one')?.stateDigest).toBe(0n);
  });
});
