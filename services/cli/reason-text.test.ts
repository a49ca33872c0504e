import { describe, expect, it } from '@jest/globals';
import { BreakerState, EngineState, EngineStatus } from '../generated/tandem/v1/engines.ts';
import { ReasonResponse } from '../generated/tandem/v1/reasoning.ts';
import { BallotOutcome, CacheStatus, EngineKind, Grade } from '../generated/tandem/v1/types.ts';
import { describeEngines } from './engines-text.ts';
import { describeResponse } from './reason-text.ts';

describe('describeResponse', () => {
  it('explains the cache status and the grade', () => {
    const response = ReasonResponse.fromPartial({
      cache: CacheStatus.CACHE_STATUS_HIT,
      grade: Grade.GRADE_SINGLE,
    });
    expect(describeResponse(response, [], '')).toContain(
      'cache HIT (answered before) · grade SINGLE (one engine was asked)',
    );
  });

  it('lists the ballots, with the reason of a missing one', () => {
    const response = ReasonResponse.fromPartial({
      vote: {
        ballots: [
          { engineId: 'local', outcome: BallotOutcome.BALLOT_OUTCOME_AGREED, stateDigest: 255n, durationUs: 1_500 },
          { engineId: 'engine-1', outcome: BallotOutcome.BALLOT_OUTCOME_DISSENTED, stateDigest: 1n, durationUs: 20 },
          { engineId: 'engine-2', outcome: BallotOutcome.BALLOT_OUTCOME_ABSENT, why: 'ENGINE_LOST', durationUs: 0 },
        ],
      },
    });
    expect(
      describeResponse(response, [], '')
        .split('\n')
        .slice(-4)
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['BALLOT', 'OUTCOME', 'DIGEST', 'MS', 'WHY'],
      ['local', 'agreed', '00000000000000ff', '1.50', '-'],
      ['engine-1', 'dissented', '0000000000000001', '0.02', '-'],
      ['engine-2', 'absent', '-', '0.00', 'ENGINE_LOST'],
    ]);
  });

  it('shows the cost and how it is estimated', () => {
    const cost = { inferences: 3, computeUs: 1_500, synapticOperations: 120_000, spikes: 900, energyJ: 1.08e-7 };
    expect(describeResponse(ReasonResponse.fromPartial({ cost }), [], '')).toContain(
      'cost 1.5 ms of 3 engines and 120000 synaptic operations: ' +
        'about 108 nJ on a neuromorphic-style circuit (0.9 pJ each, 45 nm; not this CPU)',
    );
  });

  it('has no table of ballots without a vote', () => {
    expect(describeResponse(ReasonResponse.fromPartial({}), [], '')).not.toContain('BALLOT');
  });
});

describe('describeEngines', () => {
  it('shows the state and breaker of an engine, with the reasons', () => {
    const engines = [
      EngineStatus.fromPartial({
        id: 'engine-1',
        kind: EngineKind.ENGINE_KIND_SIDECAR,
        address: 'a:1',
        state: EngineState.ENGINE_STATE_DRAINING,
        stateReason: 'an operator drains it',
        breaker: BreakerState.BREAKER_STATE_HALF_OPEN,
        breakerEvents: [{ why: 'the first' }, { why: '12 of 20 requests failed within 10 s' }],
      }),
    ];
    expect(describeEngines(engines)).toMatch(
      /\nengine-1 +sidecar +a:1 +draining +half-open .*\nengine-1: an operator drains it\nengine-1: breaker half-open: 12 of 20 requests failed within 10 s$/,
    );
  });

  it('lists the models that an engine does not serve, with the reason', () => {
    const why = 'it holds other weights or run settings';
    const engines = [EngineStatus.fromPartial({ id: 'engine-1', modelProblems: [{ model: 'm/1', why }] })];
    expect(describeEngines(engines)).toMatch(
      /\nengine-1: does not serve m\/1: it holds other weights or run settings$/,
    );
  });

  it('shows the reason of an unusable engine once, and names with problems', () => {
    const engine = EngineStatus.fromPartial({
      id: 'engine-1',
      state: EngineState.ENGINE_STATE_UNUSABLE,
      stateReason: 'm/1: other weights',
      modelProblems: [{ model: 'm/1', why: 'other weights' }],
    });
    const [, , ...below] = describeEngines([engine], [{ name: 'ghost:1', why: 'not resolved' }]).split('\n');
    expect(below).toEqual(['engine-1: m/1: other weights', 'name ghost:1: not resolved']);
  });
});
