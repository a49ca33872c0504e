// How far a vote has come: whether to wait for more, and which engines to ask next. Pure, like the verdict.
//
// Each participant is a seat. An engine that voted holds one, and so does one that is still computing. An absent one gives
// it back, and another engine may be asked in its place. An engine that refuses has voted. The whole of a vote is:
//
//   for (;;) {
//     const { isDecided, more } = progress(ballots, waiting, policy)
//     if (isDecided) break
//     ask as many more, as far as there are engines and the retry budget allows
//     if (no ballot is awaited) break
//     await the next ballot
//   }
//   verdict(ballots, policy)
import { ENGINE_KINDS, type EngineKind, needed, type VotePolicy } from './policy.ts';
import { agree, type Ballot, type Group, labelOf, type Tally, tally } from './tally.ts';
import { type Verdict, verdict } from './verdict.ts';

export interface Progress {
  /**
   * Whether it is certain which answer wins, or that none does, whatever is still to come. Grade and outcomes may change,
   * and where none wins also why. What would only be accepted is not yet decided while it can still be agreed on.
   */
  readonly isDecided: boolean;
  readonly more: More;
}

/**
 * How many engines to ask now. PARALLEL: one for every seat that is not taken. STAGED: so many that the leading answer has
 * what is needed if all that are asked agree with it: at first as many as must agree, then one for each that differs or is
 * absent. None once as many agree as the policy wants, and none where that would change nothing.
 *
 * Never more than the participants less those that voted or are waited for. Never less than one where no ballot is awaited
 * and an engine more could still change the verdict.
 */
export interface More {
  readonly count: number;
  /** At least one engine of each of these must be among them: without, the vote would lack a kind. */
  readonly kinds: readonly EngineKind[];
  /** How many of them stand in for absent engines, beyond the participants asked first: retries, for a retry budget. */
  readonly standIns: number;
}

const NONE: More = { count: 0, kinds: [], standIns: 0 };

/** `waiting`: the kinds of the engines that have been asked and not heard. */
export function progress(ballots: readonly Ballot[], waiting: readonly EngineKind[], policy: VotePolicy): Progress {
  const counted = tally(ballots, policy);
  const now = verdict(ballots, policy, counted);
  const isDecided = decided(counted, now, waiting, policy);
  const isAgreed = now.kind === 'AGREED';
  return { isDecided, more: isDecided || isAgreed ? NONE : howManyMore(counted, waiting, policy) };
}

/**
 * Once as many agree as the policy wants, only those that are `waiting`, each of a kind, are still to come; until then one
 * for every seat that has no vote, so that false may also mean: ask more. By TOLERANCE a later answer may stand between
 * those given so far and unite them; so a vote by it is decided early only where more than half gave the same to the bit.
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

/** Kinds of engine that are missing among those that agree with the leading answer, or may yet do so. */
function lackingKinds(
  leader: Group | undefined,
  waiting: readonly EngineKind[],
  { distinctKinds }: VotePolicy,
): readonly EngineKind[] {
  const present = new Set([...(leader?.kinds ?? []), ...waiting]);
  if (distinctKinds === 1) return [];
  return ENGINE_KINDS.filter((kind) => !present.has(kind)).slice(0, Math.max(0, distinctKinds - present.size));
}

/** As many as needed agree, even if all that come make more agree necessary. */
function staysEnough({ groups, voters }: Tally, toCome: number, policy: VotePolicy): boolean {
  return (groups[0]?.members.length ?? 0) >= needed(policy, voters.size + toCome);
}

/** No answer, known or new, can take the lead: of an answer that is agreed on, or while groups are fixed. */
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

/** Those that voted contradict each other so much that no answer can get as many as needed. */
function isHopeless(counted: Tally, toCome: number, policy: VotePolicy): boolean {
  if (!areGroupsFixed(counted, policy)) return false;
  const most = Math.max(0, ...counted.groups.map(({ members }) => members.length));
  return most + toCome < needed(policy, counted.voters.size + toCome);
}

/** A later ballot joins one group or begins one, and never unites two. */
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
