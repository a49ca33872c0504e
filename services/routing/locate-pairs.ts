// Selects the pairs of recordings of a dispute to compare. Pure.
import type { CastBallot, Dispute } from './dispute.ts';

export interface Pairing {
  /** Whether the engines that agreed are known to be correct. */
  readonly isCertain: boolean;
  readonly dissenters: readonly CastBallot[];
  /** Engines whose answer the dissenters contradict, those with a recording first. */
  readonly agreeing: readonly CastBallot[];
}

const MAX_DISSENTERS = 4;
const MAX_AGREEING = 4;

/** If no answer has won, the first two answers. */
export function pairOf({ ballots, wrong }: Pick<Dispute, 'ballots' | 'wrong'>): Pairing {
  const agreed = ballots.filter(({ outcome }) => outcome === 'AGREED');
  const dissented = ballots.filter(({ outcome }) => outcome === 'DISSENTED');
  const isCertain = wrong.length > 0;
  if (agreed.length > 0) return pairing(isCertain, dissented, agreed);
  const [first = [], second = []] = groupsOf(dissented).values();
  return pairing(false, recordedFirst(second).slice(0, 1), first);
}

function pairing(isCertain: boolean, dissenters: readonly CastBallot[], agreeing: readonly CastBallot[]): Pairing {
  return {
    isCertain,
    dissenters: dissenters.slice(0, MAX_DISSENTERS),
    agreeing: recordedFirst(agreeing).slice(0, MAX_AGREEING),
  };
}

function recordedFirst(ballots: readonly CastBallot[]): readonly CastBallot[] {
  return ballots.toSorted((a, b) => Number(a.recordingId === 0n) - Number(b.recordingId === 0n));
}

/** Grouped by answer, in the order of the first ballot of each. A refusal has a reason instead of digests. */
function groupsOf(ballots: readonly CastBallot[]): Map<string, CastBallot[]> {
  const groups = new Map<string, CastBallot[]>();
  for (const ballot of ballots) {
    const key = `${ballot.stateDigest} ${ballot.readoutDigest} ${ballot.why}`;
    groups.set(key, [...(groups.get(key) ?? []), ballot]);
  }
  return groups;
}
