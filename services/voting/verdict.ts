// What several engines' answers to one question come to. Pure: ballots in, verdict out. Which answers agree, and which
// one leads: tally.ts.
//
// A refusal is an answer to all of these rules: it can win, and an engine can agree with it or dissent from it.
//
//   needed   as many as the policy makes agree, always more than half of the participants and of all that voted
//   enough   that many; where fewer than that voted and onFew accepts it, all that voted
//
// First what stands in the way of an answer. The first rule that applies and is not accepted gives the verdict:
//
//      rule                                           accepted by                  verdict
//   1  no votes                                        never                        TOO_FEW
//   2  fewer voted than needed                        onFew ACCEPT_DEGRADED        TOO_FEW
//   3  fewer than enough agree with any answer        onDispute ACCEPT_PLURALITY   DISPUTED
//   4  so it is, and an answer that contradicts the   never                        DISPUTED
//      leading one has a group as large
//   5  engines of too few kinds agree with it         onFew ACCEPT_DEGRADED        TOO_FEW_KINDS
//
// Otherwise the leading answer has won: AGREED if none of these applied, else ACCEPTED, despite the first that did. Its
// grade is the first of these that fits:
//
//   6  one engine voted                               SINGLE
//   7  all that voted agree with the answer           UNANIMOUS
//   8  as many as needed do, the others dissent       MAJORITY
//   9  fewer do, yet more than with any other         PLURALITY
//
// What an engine that voted did: where an answer has won, it AGREED with it or DISSENTED. Where none has, it AGREED if it
// is one of more than half of the participants, or no engine contradicts it, and DISSENTED if it contradicts such engines.
// Where there are none such, it cannot be decided which is right: each contradicts another, and all DISSENTED.
//
// Neither the winning answer nor the verdict depends on the order of the ballots.
import type { VotePolicy } from './policy.ts';
import { agree, type Ballot, type Group, type Tally, tally, tells } from './tally.ts';

export type BallotOutcome = 'AGREED' | 'DISSENTED' | 'ABSENT';
export type Grade = 'UNANIMOUS' | 'MAJORITY' | 'PLURALITY' | 'SINGLE';
type Obstacle = 'TOO_FEW' | 'DISPUTED' | 'TOO_FEW_KINDS';

interface Won {
  readonly grade: Grade;
  /**
   * Place among the ballots of the first that holds the answer that won, with its scores if any of them has those. Where
   * all have digests only, that engine has to be asked again for the whole. Where a refusal won, the first that gave it.
   */
  readonly winner: number;
  /** One for each ballot, in their order. */
  readonly outcomes: readonly BallotOutcome[];
}

export type Verdict =
  | (Won & { readonly kind: 'AGREED' })
  /** Not what the policy asks for, but it takes what there is. */
  | (Won & { readonly kind: 'ACCEPTED'; readonly despite: Obstacle })
  | { readonly kind: 'DISPUTED'; readonly outcomes: readonly BallotOutcome[] }
  | {
      readonly kind: 'TOO_FEW';
      readonly voted: number;
      readonly needed: number;
      readonly outcomes: readonly BallotOutcome[];
    }
  | {
      readonly kind: 'TOO_FEW_KINDS';
      /** How many kinds agree with the leading answer. */
      readonly kinds: number;
      readonly needed: number;
      readonly outcomes: readonly BallotOutcome[];
    };

interface Count extends Tally {
  readonly voted: number;
  readonly policy: VotePolicy;
  /** Those that agree with the leading answer; 0 if there are no votes. */
  readonly agreeing: number;
  readonly kinds: number;
  readonly enough: number;
}

interface Rule {
  readonly description: string;
  readonly applies: (count: Count) => boolean;
  readonly isAccepted: (policy: VotePolicy) => boolean;
  readonly obstacle: Obstacle;
}

const never = (): boolean => false;
const acceptsFew = ({ onFew }: VotePolicy): boolean => onFew === 'ACCEPT_DEGRADED';
const acceptsDispute = ({ onDispute }: VotePolicy): boolean => onDispute === 'ACCEPT_PLURALITY';

const RULES: readonly Rule[] = [
  {
    description: 'nobody voted',
    applies: ({ voted }) => voted === 0,
    isAccepted: never,
    obstacle: 'TOO_FEW',
  },
  {
    description: 'fewer voted than needed',
    applies: ({ voted, needed }) => voted < needed,
    isAccepted: acceptsFew,
    obstacle: 'TOO_FEW',
  },
  {
    description: 'fewer than enough agree with any answer',
    applies: ({ agreeing, enough }) => agreeing < enough,
    isAccepted: acceptsDispute,
    obstacle: 'DISPUTED',
  },
  {
    description: 'so it is, and an answer that contradicts the leading one has a group as large',
    applies: (count) => count.agreeing < count.enough && hasEqual(count),
    isAccepted: never,
    obstacle: 'DISPUTED',
  },
  {
    description: 'engines of too few kinds agree with it',
    applies: ({ kinds, policy }) => kinds < policy.distinctKinds,
    isAccepted: acceptsFew,
    obstacle: 'TOO_FEW_KINDS',
  },
];

const GRADES: readonly { readonly grade: Grade; readonly fits: (count: Count) => boolean }[] = [
  { grade: 'SINGLE', fits: ({ voted }) => voted === 1 },
  { grade: 'UNANIMOUS', fits: ({ agreeing, voted }) => agreeing === voted },
  { grade: 'MAJORITY', fits: ({ agreeing, needed }) => agreeing >= needed },
  { grade: 'PLURALITY', fits: () => true },
];

/** `counted`: the tally of these ballots, where there is one already. */
export function verdict(ballots: readonly Ballot[], policy: VotePolicy, counted = tally(ballots, policy)): Verdict {
  const count = countUp(counted, policy);
  const obstacles = RULES.filter(({ applies }) => applies(count));
  const fatal = obstacles.find(({ isAccepted }) => !isAccepted(policy));
  if (fatal) return failed(count, fatal.obstacle);

  const leader = count.groups[0]!;
  const won: Won = {
    grade: GRADES.find(({ fits }) => fits(count))!.grade,
    winner: mostDetailed(ballots, leader.copies),
    outcomes: outcomes(count, leader.members),
  };
  const [first] = obstacles;
  return first === undefined ? { kind: 'AGREED', ...won } : { kind: 'ACCEPTED', ...won, despite: first.obstacle };
}

function countUp(counted: Tally, policy: VotePolicy): Count {
  const voted = counted.voters.size;
  const leader = counted.groups[0];
  return {
    ...counted,
    policy,
    voted,
    agreeing: leader?.members.length ?? 0,
    kinds: leader?.kinds.size ?? 0,
    enough: acceptsFew(policy) ? Math.min(voted, counted.needed) : counted.needed,
  };
}

function failed(count: Count, kind: Obstacle): Verdict {
  const { voted, needed, agreeing, kinds, policy, groups } = count;
  const isMost = agreeing > Math.max(policy.participants, voted) / 2 || agreeing === voted;
  const all = outcomes(count, isMost ? (groups[0]?.members ?? []) : []);
  switch (kind) {
    case 'TOO_FEW':
      return { kind, voted, needed, outcomes: all };
    case 'DISPUTED':
      return { kind, outcomes: all };
    case 'TOO_FEW_KINDS':
      return { kind, kinds, needed: policy.distinctKinds, outcomes: all };
  }
}

function hasEqual({ groups, agreeing, policy }: Count): boolean {
  return groups.some(
    ({ answer, members }) => members.length >= agreeing && !agree(answer, groups[0]!.answer, policy.compare),
  );
}

function mostDetailed(ballots: readonly Ballot[], indices: readonly number[]): number {
  const detailOf = (index: number): number => tells(ballots[index]!.answer!);
  return indices.reduce((best, index) => (detailOf(index) > detailOf(best) ? index : best));
}

function outcomes({ ballots, voters }: Count, agreeing: Group['members']): BallotOutcome[] {
  const all = new Array<BallotOutcome>(ballots).fill('ABSENT');
  for (const index of voters) all[index] = agreeing.includes(index) ? 'AGREED' : 'DISSENTED';
  return all;
}
