// Properties that hold for every policy and all ballots.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ENGINE_KINDS, type EngineKind, isAtLeastAsStrict, needed, tighten, type VotePolicy } from './policy.ts';
import { progress } from './progress.ts';
import { type Answer, type Ballot, agree } from './tally.ts';
import { type Verdict, verdict } from './verdict.ts';

const MAX = 9;

const anyPolicy: fc.Arbitrary<VotePolicy> = fc.integer({ min: 1, max: 7 }).chain((participants) =>
  fc.record({
    participants: fc.constant(participants),
    agreement: fc.oneof(
      fc.constant({ kind: 'MAJORITY' } as const),
      fc.constant({ kind: 'UNANIMOUS' } as const),
      fc.record({
        kind: fc.constant('COUNT' as const),
        count: fc.integer({ min: Math.floor(participants / 2) + 1, max: participants }),
      }),
    ),
    mode: fc.constantFrom('PARALLEL', 'STAGED'),
    compare: fc.oneof(
      fc.constant({ kind: 'EXACT' } as const),
      fc.constant({ kind: 'LABEL' } as const),
      fc.record({ kind: fc.constant('TOLERANCE' as const), tolerance: fc.constantFrom(0.1, 0.2) }),
    ),
    distinctKinds: fc.constantFrom(1, 2),
    onDispute: fc.constantFrom('FAIL', 'ACCEPT_PLURALITY'),
    onFew: fc.constantFrom('FAIL', 'ACCEPT_DEGRADED'),
  }),
);

/** A policy, and the stricter policy that a request made of it. */
const anyTightening = fc
  .tuple(
    anyPolicy,
    anyPolicy,
    fc.subarray(['participants', 'agreement', 'compare', 'distinctKinds', 'onDispute', 'onFew']),
  )
  .map(([base, other, fields]) => {
    const wanted: Partial<VotePolicy> = Object.fromEntries(
      Object.entries(other).filter(([key]) => fields.includes(key)),
    );
    return { base, wanted, tightened: attempt(base, wanted) };
  })
  .filter((one): one is typeof one & { tightened: VotePolicy } => one.tightened !== undefined);

function attempt(base: VotePolicy, wanted: Partial<VotePolicy>): VotePolicy | undefined {
  try {
    return tighten(base, wanted, MAX);
  } catch {
    return undefined;
  }
}

/** Answers that are close or far apart, with two labels, so that all ways to compare differ; some with digests only. */
const anyComputed: fc.Arbitrary<Answer> = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 4, 5), fc.constantFrom(0, 1), fc.integer({ min: 0, max: 3 }))
  .map(([x, y, seen]) => {
    const digests = { stateDigest: BigInt((x * 5) % 6), readoutDigest: BigInt(y) };
    const scores = [0.3 + x / 10, 0.5 + y / 10, 0];
    return seen === 0 ? digests : { ...digests, scores, label: scores[0]! > scores[1]! ? 0 : 1 };
  });

const anyRefusal: fc.Arbitrary<Answer> = fc.record({ refusal: fc.constantFrom('NON_FINITE 1', 'NON_FINITE 2') });

const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 3, arbitrary: anyComputed },
  { weight: 1, arbitrary: anyRefusal },
);

const anyKind = fc.constantFrom(...ENGINE_KINDS);

function anyBallots(maxLength: number): fc.Arbitrary<Ballot[]> {
  const one = fc.record({ engineKind: anyKind, answer: fc.option(anyAnswer, { nil: undefined, freq: 6 }) });
  return fc
    .array(one, { maxLength })
    .map((all) => all.map((ballot, index) => ({ ...ballot, engineId: `engine-${index}` })));
}

const honest: Answer = { stateDigest: 3n, readoutDigest: 9n, scores: [0.5, 0.4], label: 0 };

/** The digests or the refusal that won; 'none' if none did. */
function winnerOf(ballots: readonly Ballot[], given: Verdict): string {
  if (given.kind !== 'AGREED' && given.kind !== 'ACCEPTED') return 'none';
  const { refusal, stateDigest, readoutDigest } = ballots[given.winner]!.answer!;
  return refusal ?? `${stateDigest} ${readoutDigest}`;
}

function rename(ballots: readonly Ballot[], prefix: string): Ballot[] {
  return ballots.map((ballot, index) => ({ ...ballot, engineId: `${prefix}-${index}` }));
}

const check = <T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, predicate), { numRuns: 100, seed: 11 });

describe('a tightened policy', () => {
  it('is at least as strict, and does not change if tightened again', () => {
    check(anyTightening, ({ base, wanted, tightened }) => {
      expect(isAtLeastAsStrict(tightened, base)).toBe(true);
      expect(tighten(tightened, wanted, MAX)).toEqual(tightened);
      expect(needed(tightened)).toBeGreaterThanOrEqual(needed(base));
    });
  });

  it('is at least as strict if it is tightened further', () => {
    check(fc.tuple(anyTightening, anyPolicy), ([{ base, tightened }, other]) => {
      expect(isAtLeastAsStrict(base, { ...base })).toBe(true);
      const further = attempt(tightened, { ...other, participants: MAX });
      if (further) expect(isAtLeastAsStrict(further, base)).toBe(true);
    });
  });

  it('is at least as strict if both are tightened alike', () => {
    check(fc.tuple(anyTightening, anyPolicy), ([{ base, tightened }, { participants, compare }]) => {
      const [a, b] = [attempt(base, { participants, compare }), attempt(tightened, { participants, compare })];
      if (a && b) expect(isAtLeastAsStrict(b, a)).toBe(true);
    });
  });

  it('never accepts what the looser policy refuses', () => {
    check(fc.tuple(anyTightening, anyBallots(MAX)), ([{ base, tightened }, ballots]) => {
      if (winnerOf(ballots, verdict(ballots, tightened)) === 'none') return;
      expect(winnerOf(ballots, verdict(ballots, base))).not.toBe('none');
      if (verdict(ballots, tightened).kind === 'AGREED') expect(verdict(ballots, base).kind).toBe('AGREED');
    });
  });
});

describe('verdict', () => {
  it('does not depend on the order of the ballots', () => {
    const shuffled = anyBallots(MAX).chain((ballots) =>
      fc.tuple(
        fc.constant(ballots),
        fc.shuffledSubarray(ballots, { minLength: ballots.length, maxLength: ballots.length }),
      ),
    );
    const byEngine = (ballots: readonly Ballot[], { outcomes }: Verdict): object =>
      Object.fromEntries(ballots.map(({ engineId }, index) => [engineId, outcomes[index]]));
    check(fc.tuple(shuffled, anyPolicy), ([[ballots, otherwise], policy]) => {
      const [one, other] = [verdict(ballots, policy), verdict(otherwise, policy)];
      expect(winnerOf(otherwise, other)).toBe(winnerOf(ballots, one));
      expect({ ...other, winner: 0, outcomes: [] }).toEqual({ ...one, winner: 0, outcomes: [] });
      expect(byEngine(otherwise, other)).toEqual(byEngine(ballots, one));
    });
  });

  it('never picks the answer of f liars among 2f + 1 engines', () => {
    const election = fc.integer({ min: 0, max: 4 }).chain((f) =>
      fc.record({
        f: fc.constant(f),
        lies: fc.array(fc.option(anyAnswer, { nil: undefined }), { minLength: f, maxLength: f }),
        absent: fc.array(fc.boolean(), { minLength: f + 1, maxLength: f + 1 }),
        order: fc.shuffledSubarray(
          Array.from({ length: 2 * f + 1 }, (_, k) => k),
          { minLength: 2 * f + 1 },
        ),
        policy: anyPolicy,
      }),
    );
    check(election, ({ f, lies, absent, order, policy: { mode, distinctKinds } }) => {
      const truths = absent.map((isAbsent) => (isAbsent ? undefined : honest));
      const cast = rename(
        [...lies, ...truths].map((answer) => ({ engineId: '', engineKind: 'local', answer })),
        'engine',
      );
      const ballots = order.map((k) => cast[k]!);
      const policy: VotePolicy = {
        participants: 2 * f + 1,
        agreement: { kind: 'MAJORITY' },
        mode,
        compare: { kind: 'EXACT' },
        distinctKinds,
        onDispute: 'FAIL',
        onFew: 'FAIL',
      };
      // The verdict on the ballots so far is checked, too.
      for (let received = 0; received <= ballots.length; received += 1) {
        expect(['none', '3 9']).toContain(winnerOf(ballots, verdict(ballots.slice(0, received), policy)));
      }
      if (!absent.includes(true) && distinctKinds === 1)
        expect(winnerOf(ballots, verdict(ballots, policy))).toBe('3 9');
    });
  });

  it('gives every ballot an outcome: AGREED with the winner, DISSENTED, or ABSENT', () => {
    check(fc.tuple(anyBallots(MAX), anyPolicy), ([ballots, policy]) => {
      const given = verdict(ballots, policy);
      expect(given.outcomes.map((outcome) => outcome === 'ABSENT')).toEqual(ballots.map(({ answer }) => !answer));
      if (given.kind !== 'AGREED' && given.kind !== 'ACCEPTED') return;
      expect(given.outcomes[given.winner]).toBe('AGREED');
      if (given.grade === 'UNANIMOUS') expect(given.outcomes).not.toContain('DISSENTED');
      if (given.kind === 'AGREED') {
        expect(given.outcomes.filter((outcome) => outcome === 'AGREED').length).toBeGreaterThanOrEqual(needed(policy));
      }
    });
  });
});

describe('a refusal', () => {
  it('never agrees with an answer, for any compare', () => {
    check(fc.tuple(anyRefusal, anyComputed, anyPolicy), ([refusal, computed, { compare }]) => {
      expect([agree(refusal, computed, compare), agree(computed, refusal, compare)]).toEqual([false, false]);
    });
  });

  it('agrees only with an equal refusal, for any compare', () => {
    check(fc.tuple(anyRefusal, anyRefusal, anyPolicy), ([a, b, { compare }]) => {
      expect(agree(a, b, compare)).toBe(a.refusal === b.refusal);
    });
  });

  it('counts like an answer of its own with EXACT', () => {
    const asAnswer = (answer: Answer | undefined): Answer | undefined =>
      answer?.refusal === undefined ? answer : { stateDigest: 1_000n, readoutDigest: BigInt(answer.refusal.at(-1)!) };
    check(fc.tuple(anyBallots(MAX), anyPolicy), ([ballots, policy]) => {
      const exact: VotePolicy = { ...policy, compare: { kind: 'EXACT' } };
      const answered = ballots.map((ballot) => ({ ...ballot, answer: asAnswer(ballot.answer) }));
      // The first engine with a label may be another one, so the winner is not compared.
      const { kind, outcomes } = verdict(ballots, exact);
      expect([verdict(answered, exact).kind, verdict(answered, exact).outcomes]).toEqual([kind, outcomes]);
    });
  });

  it('of honest engines wins against f liars among 2f + 1', () => {
    const election = fc.integer({ min: 1, max: 4 }).chain((f) =>
      fc.record({
        f: fc.constant(f),
        lies: fc.array(fc.option(anyAnswer, { nil: undefined }), { minLength: f, maxLength: f }),
        policy: anyPolicy,
      }),
    );
    check(election, ({ f, lies, policy: { compare, mode } }) => {
      const truths = Array.from({ length: f + 1 }, (): Answer => ({ refusal: 'NON_FINITE 0' }));
      const cast = [...lies, ...truths].map((answer) => ({ engineId: '', engineKind: 'local' as const, answer }));
      const ballots = rename(cast, 'engine');
      const policy: VotePolicy = {
        participants: 2 * f + 1,
        agreement: { kind: 'MAJORITY' },
        distinctKinds: 1,
        onDispute: 'FAIL',
        onFew: 'FAIL',
        compare,
        mode,
      };
      expect(winnerOf(ballots, verdict(ballots, policy))).toBe('NON_FINITE 0');
    });
  });
});

describe('a decided vote', () => {
  const anyVote = anyPolicy.chain((policy) =>
    fc.record({ policy: fc.constant(policy), soFar: anyBallots(policy.participants + 1), toCome: anyBallots(MAX) }),
  );

  it('does not change with answers of engines that were asked', () => {
    check(anyVote, ({ policy, soFar, toCome }) => {
      const waiting = toCome.map(({ engineKind }) => engineKind);
      fc.pre(progress(soFar, waiting, policy).isDecided);
      const later = [...soFar, ...rename(toCome, 'later')];
      expect(winnerOf(later, verdict(later, policy))).toBe(winnerOf(soFar, verdict(soFar, policy)));
    });
  });

  it('does not change with answers of further engines', () => {
    check(anyVote, ({ policy, soFar, toCome }) => {
      fc.pre(progress(soFar, [], policy).isDecided);
      fc.pre(verdict(soFar, policy).kind !== 'AGREED');
      const free = policy.participants - soFar.filter(({ answer }) => answer).length;
      const later = [...soFar, ...rename(toCome.slice(0, Math.max(0, free)), 'later')];
      expect(winnerOf(later, verdict(later, policy))).toBe(winnerOf(soFar, verdict(soFar, policy)));
    });
  });

  it('is reached at the latest with the last ballot', () => {
    check(anyVote, ({ policy, soFar }) => {
      const full = soFar.filter(({ answer }) => answer).length >= policy.participants;
      if (full || verdict(soFar, policy).kind === 'AGREED') expect(progress(soFar, [], policy).isDecided).toBe(true);
    });
  });
});

describe('a vote, from the first engine asked to the verdict,', () => {
  type Simulated = Pick<Ballot, 'engineKind' | 'answer'>;

  /** Asks the engines that `progress` demands, and lets one of them answer at a time. `turns` selects which one. */
  function simulate(
    engines: readonly Simulated[],
    policy: VotePolicy,
    turns: readonly number[],
  ): { ballots: Ballot[]; engineCount: number } {
    const free = rename(engines as Ballot[], 'engine');
    const waiting: Ballot[] = [];
    const ballots: Ballot[] = [];
    const kinds = (): EngineKind[] => waiting.map(({ engineKind }) => engineKind);
    for (let turn = 0; ; turn += 1) {
      if (turn > engines.length) throw new Error('the vote does not end');
      const { isDecided, more } = progress(ballots, kinds(), policy);
      if (isDecided) return { ballots, engineCount: ballots.length + waiting.length };
      const voted = ballots.filter(({ answer }) => answer).length;
      expect(more.count).toBeLessThanOrEqual(Math.max(0, policy.participants - voted - waiting.length));
      const planned = policy.participants - ballots.length - waiting.length;
      expect(more.count - more.standIns).toBeLessThanOrEqual(Math.max(0, planned));
      expect(more.kinds.length).toBeLessThanOrEqual(more.count);
      for (let k = 0; k < more.count && free.length > 0; k += 1) {
        const index = free.findIndex(({ engineKind }) => !more.kinds[k] || engineKind === more.kinds[k]);
        waiting.push(...free.splice(Math.max(0, index), 1));
      }
      if (waiting.length === 0) return { ballots, engineCount: ballots.length + waiting.length };
      ballots.push(...waiting.splice((turns[turn] ?? 0) % waiting.length, 1));
    }
  }

  const anyTurns = fc.array(fc.nat(20), { maxLength: 12 });
  const anyEngines = fc.array(
    fc.record({ engineKind: anyKind, answer: fc.option(anyAnswer, { nil: undefined, freq: 2 }) }),
    { maxLength: 12 },
  );

  it('ends, and asks no more engines than exist', () => {
    check(fc.tuple(anyEngines, anyPolicy, anyTurns), ([engines, policy, turns]) => {
      expect(simulate(engines, policy, turns).engineCount).toBeLessThanOrEqual(engines.length);
    });
  });

  it('has the same winner STAGED and PARALLEL if no engine lies', () => {
    const present = fc.record({
      engineKind: anyKind,
      answer: fc.option(fc.constant(honest), { nil: undefined, freq: 3 }),
    });
    const election = anyPolicy.chain((policy) =>
      fc.tuple(fc.constant(policy), fc.array(present, { minLength: policy.participants, maxLength: 12 }), anyTurns),
    );
    check(election, ([policy, engines, turns]) => {
      const [staged, parallel] = (['STAGED', 'PARALLEL'] as const).map((mode) => {
        const { ballots, engineCount } = simulate(engines, { ...policy, mode }, turns);
        return { winner: winnerOf(ballots, verdict(ballots, policy)), engineCount };
      });
      expect(staged!.engineCount).toBeLessThanOrEqual(parallel!.engineCount);
      // With several kinds the modes may differ: STAGED may have asked engines of one kind only.
      if (policy.distinctKinds === 1) expect(staged!.winner).toBe(parallel!.winner);
    });
  });

  it('lacks votes in mode STAGED only if too few engines can vote', () => {
    check(fc.tuple(anyEngines, anyPolicy, anyTurns), ([engines, policy, turns]) => {
      const { ballots } = simulate(engines, { ...policy, mode: 'STAGED' }, turns);
      if (verdict(ballots, policy).kind !== 'TOO_FEW') return;
      const present = engines.filter(({ answer }) => answer).length;
      const isContradicted = verdict(ballots, { ...policy, onFew: 'ACCEPT_DEGRADED' }).kind === 'DISPUTED';
      expect(present < needed(policy) || isContradicted).toBe(true);
    });
  });
});
