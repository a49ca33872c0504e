// The progress of a vote: whether to wait for more ballots, and which engines to ask next. Pure, like the verdict.
//
// Each participant is a seat. An engine that voted or is still computing holds a seat. An absent engine returns its seat,
// and another engine may be asked instead. An engine that refuses has voted. A vote is this loop:
//
//   for (;;) {
//     const { isDecided, more } = progress(ballots, waiting, policy)
//     if (isDecided) break
//     ask `more` engines, as far as there are engines and the retry budget allows
//     if (no ballot is awaited) break
//     await the next ballot
//   }
//   verdict(ballots, policy)
import { ENGINE_KINDS, type EngineKind, needed, type VotePolicy } from './policy.ts';
import { agree, type Ballot, type Group, labelOf, type Tally, tally } from './tally.ts';
import { type Verdict, verdict } from './verdict.ts';

export interface Progress {
  /**
   * True if later ballots cannot change which answer wins, or that none wins. Grade and outcomes may change, and so may
   * the reason why none wins. An answer that would only be accepted is not decided while enough engines may still
   * agree.
   */
  readonly isDecided: boolean;
  readonly more: More;
}

/**
 * How many engines to ask now. PARALLEL: one for every free seat. STAGED: just as many as the leading answer still
 * needs. At first that is as many as must agree, then one for each engine that differs or is absent. None once enough
 * engines agree, and none if that could not change the verdict.
 *
 * Never more than the free seats. At least one if no ballot is awaited and one more engine could still change the
 * verdict.
 */
export interface More {
  readonly count: number;
  /** At least one of the asked engines must be of each of these kinds. Otherwise the vote would lack a kind. */
  readonly kinds: readonly EngineKind[];
  /** How many of them replace absent engines. These are retries, which the retry budget counts. */
  readonly standIns: number;
}

const NONE: More = { count: 0, kinds: [], standIns: 0 };

/** `waiting`: the kinds of the engines that have been asked and have not answered. */
export function progress(ballots: readonly Ballot[], waiting: readonly EngineKind[], policy: VotePolicy): Progress {
  const counted = tally(ballots, policy);
  const now = verdict(ballots, policy, counted);
  const isDecided = decided(counted, now, waiting, policy);
  const isAgreed = now.kind === 'AGREED';
  return { isDecided, more: isDecided || isAgreed ? NONE : howManyMore(counted, waiting, policy) };
}

/**
 * Once enough engines agree, only the `waiting` ones can still vote. Before that, every seat without a vote can still
 * get one, so false may also mean that more engines must be asked. With TOLERANCE, a later answer may lie between two
 * earlier ones and unite their groups. So such a vote is decided early only if more than half gave exactly the same
 * answer.
 */
function decided(counted: Tally, now: Verdict, waiting: readonly EngineKind[], policy: VotePolicy): boolean {
  const seats = Math.max(waiting.length, policy.participants - counted.voters.size);
  if (now.kind === 'AGREED' && staysEnough(counted, waiting.length, policy)) {
    return staysAhead(counted, waiting.length, policy);
  }
  if (seats === 0) return true;
  if (!isHopeless(counted, seats, policy)) return false;
  return policy.onDispute === 'FAIL' || (now.kind === 'ACCEPTED' && staysAhead(counted, seats, policy));
}

function howManyMore(counted: Tally, waiting: readonly EngineKind[], policy: VotePolicy): More {
  const { voters, engineCount, groups } = counted;
  const holding = voters.size + waiting.length;
  const seats = policy.participants - holding;
  if (seats <= 0) return NONE;

  const leader = groups[0];
  const kinds = lackingKinds(leader, waiting, policy);
  const lacking = needed(policy, holding) - (leader?.members.length ?? 0) - waiting.length;
  const count = policy.mode === 'PARALLEL' ? seats : Math.min(seats, Math.max(0, lacking, kinds.length));
  const standIns = Math.min(count, Math.max(0, engineCount + waiting.length + count - policy.participants));
  return { count, kinds: kinds.slice(0, count), standIns };
}

/** Kinds of engine that are missing among the engines that agree with the leading answer or have not answered. */
function lackingKinds(
  leader: Group | undefined,
  waiting: readonly EngineKind[],
  { distinctKinds }: VotePolicy,
): readonly EngineKind[] {
  const present = new Set([...(leader?.kinds ?? []), ...waiting]);
  if (distinctKinds === 1) return [];
  return ENGINE_KINDS.filter((kind) => !present.has(kind)).slice(0, Math.max(0, distinctKinds - present.size));
}

/** Returns true if enough engines agree, even if all later ballots raise the number needed. */
function staysEnough({ groups, voters }: Tally, toCome: number, policy: VotePolicy): boolean {
  return (groups[0]?.members.length ?? 0) >= needed(policy, voters.size + toCome);
}

/** Returns true if no answer, known or new, can take the lead from the present one. */
function staysAhead(counted: Tally, toCome: number, policy: VotePolicy): boolean {
  if (toCome === 0) return true;
  const [leader, ...others] = counted.groups as readonly [Group, ...Group[]];
  const half = Math.max(policy.participants, counted.voters.size + toCome) / 2;
  if (leader.copies.length > half) return true;
  if (!areGroupsFixed(counted, policy) || leader.copies.length <= toCome) return false;
  return others.every(({ answer, copies, members }) =>
    agree(answer, leader.answer, policy.compare)
      ? copies.length + toCome < leader.copies.length
      : members.length + toCome < leader.members.length,
  );
}

/** Returns true if no answer can get as many votes as needed any more. */
function isHopeless(counted: Tally, toCome: number, policy: VotePolicy): boolean {
  if (!areGroupsFixed(counted, policy)) return false;
  const most = Math.max(0, ...counted.groups.map(({ members }) => members.length));
  return most + toCome < needed(policy, counted.voters.size + toCome);
}

/** Returns true if a later ballot can only join a group or begin a new one, and never unite two groups. */
function areGroupsFixed({ groups }: Tally, { compare }: VotePolicy): boolean {
  switch (compare.kind) {
    case 'EXACT':
      return true;
    case 'TOLERANCE':
      return false;
    case 'LABEL':
      return groups.every(({ answer }) => answer.refusal !== undefined || labelOf(answer) !== undefined);
  }
}
