// Protection against wrong answers: policies, quarantine, audit; and hedging against slow ones.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ReasonRequest, type ReasonResponse, VotePolicy } from '../../services/generated/tandem/v1/reasoning.ts';
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { BallotOutcome, Grade, Strategy, VoteAgreement, VoteMode } from '../../services/generated/tandem/v1/types.ts';
import { addSpike, flipDigestBit } from '../fakes/lying-engine.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';
import { Fleet, Inputs } from './router-table/fleet.ts';
import { Operator } from '../support/operator.ts';

const IDS = ['one', 'two', 'three'] as const;
const { STRATEGY_REDUNDANT: REDUNDANT, STRATEGY_ROUND_ROBIN: ROUND_ROBIN, STRATEGY_HEDGED: HEDGED } = Strategy;
const inputs = new Inputs();

let fleet: Fleet<(typeof IDS)[number]>;
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

async function start(over: Record<string, unknown> = {}): Promise<void> {
  system = await startSystem({
    local: { enabled: false },
    cache: { enabled: false },
    sidecars: fleet.settings,
    spawn: { count: 0 },
    stall_timeout_ms: 10_000,
    ...over,
  });
  operator = new Operator(system.adminAddress);
}

function vote(over: Partial<VotePolicy> = {}, request = inputs.request()): Promise<ReasonResponse> {
  return system.reason({ ...request, strategy: REDUNDANT, vote: VotePolicy.fromPartial(over) });
}

const seen = (): number[] => IDS.map((id) => fleet.front(id).counts.seen);
const isOut = async (id: string): Promise<boolean> =>
  (await operator.engine(id)).state === EngineState.ENGINE_STATE_QUARANTINED;

/** The complete answer of a correct engine. */
async function truthOf(request: Partial<ReasonRequest>): Promise<unknown[]> {
  await operator.drain('two');
  const answer = await system.reason({ ...request, strategy: ROUND_ROBIN });
  await operator.readmit('two');
  return answerKey(answer);
}

function answerKey({ stateDigest, spikeCounts, scores }: ReasonResponse): unknown[] {
  return [stateDigest, spikeCounts, scores];
}

describe('a staged vote', () => {
  const STAGED = { mode: VoteMode.VOTE_MODE_STAGED };

  it('asks two of three if they agree', async () => {
    await start();
    for (let n = 0; n < 9; n += 1) {
      const { grade, vote: ballots } = await vote(STAGED);
      expect([grade, ballots?.ballots.length]).toEqual([Grade.GRADE_UNANIMOUS, 2]);
    }
    expect(seen()).toEqual([6, 6, 6]);
  });

  it.each([
    ['digest', flipDigestBit],
    ['answer, with a true digest', addSpike],
  ])('asks the third when one lies in its %s, and gives the complete right answer', async (_name, lie) => {
    await start({ quarantine: { dissents: 1_000 } });
    const request = inputs.request();
    const truth = await truthOf(request);
    fleet.front('two').lie = lie;
    for (let n = 0; n < 9; n += 1) expect(answerKey(await vote(STAGED, request))).toEqual(truth);
    expect(fleet.front('two').counts.lied).toBeGreaterThan(0);
  });
});

describe('the policy of a vote', () => {
  it('may be tightened by a request', async () => {
    await start();
    fleet.front('two').lie = flipDigestBit;
    const all = { agreement: VoteAgreement.VOTE_AGREEMENT_UNANIMOUS };
    expect(await refusalOf(vote(all))).toMatchObject({ code: 'ABORTED', reason: 'VOTE_DISPUTED' });
  });

  it('makes a request that names no strategy vote', async () => {
    await start();
    const { strategy, vote: ballots } = await system.reason({ ...inputs.request(), vote: VotePolicy.fromPartial({}) });
    expect([strategy, ballots?.ballots.length]).toEqual([REDUNDANT, 3]);
  });

  it.each<[string, Partial<ReasonRequest>, string]>([
    ['fewer participants', { vote: VotePolicy.fromPartial({ participants: 2 }) }, 'vote.participants'],
    ['more than allowed', { vote: VotePolicy.fromPartial({ participants: 99 }) }, 'vote.participants'],
    ['an unknown value', { vote: VotePolicy.fromPartial({ mode: 9 as never }) }, 'vote.mode'],
    ['a strategy that does not vote', { vote: VotePolicy.fromPartial({}), strategy: ROUND_ROBIN }, 'vote'],
  ])('refuses %s by name of the field', async (_name, over, field) => {
    await start();
    const refusal = await refusalOf(system.reason({ ...inputs.request(), ...over }));
    expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', field });
  });

  it('needs both kinds of engine if it says so', async () => {
    await start();
    const kinds = vote({ distinctKinds: 2 });
    expect(await refusalOf(kinds)).toMatchObject({ code: 'UNAVAILABLE', reason: 'VOTE_TOO_FEW' });
  });

  it('may accept fewer votes; such an answer is graded so and never cached', async () => {
    await start({
      cache: {},
      vote: { participants: 3, agreement: 'UNANIMOUS', on_dispute: 'ACCEPT_PLURALITY' },
      quarantine: { dissents: 1_000 },
    });
    const request = inputs.request();
    const { data } = request.tensor!;
    // Wrong for this input only: golden vectors, which suspects get, would exclude it.
    fleet.front('two').lie = (truth, item) =>
      Buffer.compare(item.data, data) === 0 ? flipDigestBit(truth, item) : undefined;
    const answers = [await vote({}, request), await vote({}, request)];
    expect(answers.map(({ grade }) => grade)).toEqual([Grade.GRADE_PLURALITY, Grade.GRADE_PLURALITY]);
    expect(fleet.front('two').counts.lied).toBe(2);
  });
});

describe('an engine that is wrong in every answer', () => {
  it('never decides a vote, is excluded after three dissents, and returns when it is correct', async () => {
    await start({ quarantine: { sit_out_ms: 100 } });
    const request = inputs.request();
    const truth = await truthOf(request);
    fleet.front('two').lie = flipDigestBit;
    let dissents = 0;
    for (let n = 0; n < 50; n += 1) {
      const answer = await vote({}, request);
      expect(answerKey(answer)).toEqual(truth);
      dissents +=
        answer.vote?.ballots.filter(({ outcome }) => outcome === BallotOutcome.BALLOT_OUTCOME_DISSENTED).length ?? 0;
    }
    expect(dissents).toBe(3);
    expect((await operator.engine('two')).stateReason).toContain('known input');
    fleet.front('two').lie = undefined;
    await until(async () => !(await isOut('two')), { what: 'its readmission' });
    const { vote: ballots } = await vote();
    expect(ballots?.ballots).toHaveLength(3);
  });

  it('is found by an audit of 5 % within 200 ordinary requests', async () => {
    await start({ vote: { audit_rate: 0.05 }, quarantine: { sit_out_ms: 60_000 } });
    fleet.front('two').lie = flipDigestBit;
    for (let n = 0; n < 200; n += 1) await system.reason(inputs.request());
    const { votes, engines } = await operator.metrics();
    expect(votes?.auditDisputes).toBeGreaterThan(0n);
    expect(engines.map(({ engineId, dissents }) => [engineId, dissents > 0n])).toEqual([
      ['one', false],
      ['two', true],
      ['three', false],
    ]);
  });

  it('returns at once when an operator readmits it', async () => {
    await start({ quarantine: { dissents: 1, sit_out_ms: 60_000 } });
    fleet.front('two').lie = flipDigestBit;
    await vote();
    expect(await isOut('two')).toBe(true);
    await operator.readmit('two');
    expect(await isOut('two')).toBe(false);
  });
});

describe('a hedged request', () => {
  it('does not wait for an engine that has become slow', async () => {
    await start({ hedged: { percentile: 90 } });
    for (let n = 0; n < 60; n += 1) await system.reason({ ...inputs.request(), strategy: HEDGED });
    for (const id of IDS) fleet.front(id).delayMs = id === 'one' ? 5_000 : 0;
    for (let n = 0; n < 40; n += 1) {
      const { attempts } = await system.reason({ ...inputs.request(), strategy: HEDGED });
      const answered = attempts.find(({ outcome }) => outcome === 'OK');
      expect(answered?.durationUs).toBeLessThan(4_000_000);
    }
  });
});
