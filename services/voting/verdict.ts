// What several engines' answers to one question come to. Pure: ballots in, verdict out.
//
// Two answers agree if digest, spike counts and potentials are all equal to the bit: engines compute the same bits, so
// there is nothing to tolerate, and one that lies in its answer need not lie in its digest. Agreeing answers are a group.
//
//   needed = more than half of `majorityOf`, and more than half of all that voted, so that at most one group has it
//
// The first rule that applies gives the verdict:
//
//   1  fewer voted than needed           TOO_FEW     nobody can say
//   2  no group has as many as needed    DISPUTED    the engines contradict each other
//   3  all that voted are one group      AGREED      UNANIMOUS
//   4  one group has as many as needed   AGREED      MAJORITY, the others dissent
//
// An absent engine, one without an answer, does not vote: it never dissents and takes nothing from unanimity. An engine
// votes at most once: only its first ballot counts, the others are as absent. Neither the winning answer nor the verdict
// depends on the order of the ballots.

export interface Answer {
  readonly stateDigest: bigint;
  readonly spikeCounts: readonly number[];
  /** Little-endian binary32. */
  readonly potentials: Uint8Array;
}

export interface Ballot {
  readonly engineId: string;
  /** Undefined: absent. */
  readonly answer: Answer | undefined;
}

export interface VoteOptions {
  /** How many engines the majority is counted of, also where fewer could be asked. At least 1. */
  readonly majorityOf: number;
}

export type BallotOutcome = 'AGREED' | 'DISSENTED' | 'ABSENT';

export type Verdict =
  | {
      readonly kind: 'AGREED';
      readonly grade: 'UNANIMOUS' | 'MAJORITY';
      /** Place among the ballots of the first that holds the answer agreed on. */
      readonly winner: number;
      /** One for each ballot, in their order. */
      readonly outcomes: readonly BallotOutcome[];
    }
  | {
      readonly kind: 'DISPUTED';
      /** All that voted DISSENTED: each contradicts another one, and nobody can say who is right. */
      readonly outcomes: readonly BallotOutcome[];
    }
  | { readonly kind: 'TOO_FEW'; readonly voted: number; readonly needed: number };

interface Count {
  readonly ballots: number;
  readonly voted: number;
  readonly needed: number;
  /** Places of the ballots in the largest group, ascending; empty if nobody voted. */
  readonly largest: readonly number[];
  /** Places of all ballots that count. */
  readonly voters: ReadonlySet<number>;
}

interface Rule {
  readonly description: string;
  readonly condition: (count: Count) => boolean;
  readonly verdict: (count: Count) => Verdict;
}

const RULES: readonly Rule[] = [
  {
    description: 'fewer voted than needed',
    condition: ({ voted, needed }) => voted < needed,
    verdict: ({ voted, needed }) => ({ kind: 'TOO_FEW', voted, needed }),
  },
  {
    description: 'no group has as many as needed',
    condition: ({ largest, needed }) => largest.length < needed,
    verdict: (count) => ({ kind: 'DISPUTED', outcomes: outcomes(count, []) }),
  },
  {
    description: 'all that voted are one group',
    condition: ({ largest, voted }) => largest.length === voted,
    verdict: (count) => agreed(count, 'UNANIMOUS'),
  },
  {
    description: 'one group has as many as needed',
    condition: () => true,
    verdict: (count) => agreed(count, 'MAJORITY'),
  },
];

export function verdict(ballots: readonly Ballot[], options: VoteOptions): Verdict {
  const result = count(ballots, 0, options);
  return RULES.find(({ condition }) => condition(result))!.verdict(result);
}

/** Whether the answer is certain, whatever the ballots still to come may say: a group has what is needed even then. */
export function isDecided(ballots: readonly Ballot[], stillWaiting: number, options: VoteOptions): boolean {
  const { largest, needed } = count(ballots, stillWaiting, options);
  return largest.length >= needed;
}

function count(ballots: readonly Ballot[], stillWaiting: number, { majorityOf }: VoteOptions): Count {
  const heard = new Set<string>();
  const groups: { readonly answer: Answer; readonly places: number[] }[] = [];
  for (const [place, { engineId, answer }] of ballots.entries()) {
    const isFirst = !heard.has(engineId);
    heard.add(engineId);
    if (!isFirst || answer === undefined) continue;
    const group = groups.find((one) => agree(one.answer, answer));
    if (group) group.places.push(place);
    else groups.push({ answer, places: [place] });
  }
  const voters = new Set(groups.flatMap(({ places }) => places));
  const needed = Math.floor(Math.max(majorityOf, voters.size + stillWaiting) / 2) + 1;
  const largest = groups.reduce<readonly number[]>((a, { places }) => (places.length > a.length ? places : a), []);
  return { ballots: ballots.length, voted: voters.size, needed, largest, voters };
}

function agreed(count: Count, grade: 'UNANIMOUS' | 'MAJORITY'): Verdict {
  return { kind: 'AGREED', grade, winner: count.largest[0]!, outcomes: outcomes(count, count.largest) };
}

function outcomes({ ballots, voters }: Count, winners: readonly number[]): BallotOutcome[] {
  return Array.from({ length: ballots }, (_, place) => {
    if (!voters.has(place)) return 'ABSENT';
    return winners.includes(place) ? 'AGREED' : 'DISSENTED';
  });
}

function agree(a: Answer, b: Answer): boolean {
  return (
    a.stateDigest === b.stateDigest &&
    a.spikeCounts.length === b.spikeCounts.length &&
    a.spikeCounts.every((spikes, k) => spikes === b.spikeCounts[k]) &&
    Buffer.compare(a.potentials, b.potentials) === 0
  );
}
