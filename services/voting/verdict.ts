// The result of a vote. Pure: ballots in, verdict out. tally.ts decides which answers agree, and which one leads.
//
// In all these rules a refusal is an answer: it can win, and an engine can agree with it or dissent from it.
//
//   needed   how many must agree by the policy: always more than half of the participants and of all that voted
//   enough   the same as needed; if fewer voted and onFew accepts that: all that voted
//
// First the obstacles. The first rule that applies and is not accepted gives the verdict:
//
//      rule                                          accepted by                  verdict
//   1  nobody voted                                   never                        TOO_FEW
//   2  fewer voted than needed                        onFew ACCEPT_DEGRADED        TOO_FEW
//   3  no answer has enough that agree with it        onDispute ACCEPT_PLURALITY   DISPUTED
//   4  rule 3, and an answer that contradicts the     never                        DISPUTED
//      leading one has a group as large
//   5  the engines that agree are of too few kinds    onFew ACCEPT_DEGRADED        TOO_FEW_KINDS
//
// Otherwise the leading answer has won: AGREED if no rule applied, else ACCEPTED, with the first rule that applied as
// `despite`. Its grade is the first that fits:
//
//   6  one engine voted                               SINGLE
//   7  all that voted agree with the answer           UNANIMOUS
//   8  as many as needed agree                        MAJORITY
//   9  fewer agree, yet more than with any other      PLURALITY
//
// The outcome of an engine that voted: if an answer has won, the engine AGREED with it or DISSENTED. If none has won but
// more than half of the participants agree, or all that voted, these AGREED and the others DISSENTED. If there is no such
// group, nothing shows which answer is correct, and all DISSENTED.
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
   * Index of the first ballot with the answer that won, preferably one with scores. If all have digests only, that
   * engine must be asked again for the full answer. If a refusal won, the first ballot with it.
   */
  readonly winner: number;
  /** One outcome for each ballot, in their order. */
  readonly outcomes: readonly BallotOutcome[];
}

export type Verdict =
  | (Won & { readonly kind: 'AGREED' })
  /** The result is worse than the policy wants, but the policy accepts it. */
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
  /** The number of engines that agree with the leading answer; 0 if there are no votes. */
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
    description: 'no answer has enough that agree with it',
    applies: ({ agreeing, enough }) => agreeing < enough,
    isAccepted: acceptsDispute,
    obstacle: 'DISPUTED',
  },
  {
    description: 'rule 3, and an answer that contradicts the leading one has a group as large',
    applies: (count) => count.agreeing < count.enough && hasEqual(count),
    isAccepted: never,
    obstacle: 'DISPUTED',
  },
  {
    description: 'the engines that agree are of too few kinds',
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

/** `counted`: the tally of these ballots, if it is already known. */
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
