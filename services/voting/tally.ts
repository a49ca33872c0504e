// Ballots, counted: which answers were given, how many engines agree with each, and which answer leads.
//
// Two answers are the same if all their digests are equal. Everything an engine returns is in one of them, and the router
// computes those of what is returned itself, so that an engine which lies in its answer does not vote for another.
//
// A refusal (the engine says that the input or the model is at fault) is a ballot like an answer. Two refusals are the same
// if their keys are equal. By every compare a refusal agrees with the same refusal only, and never with an answer.
//
//   EXACT      the same answers agree
//   TOLERANCE  so do those with equal labels whose scores nowhere differ by more than the tolerance
//   LABEL      so do those with equal labels
//
// To be within a tolerance is not transitive, so there are no classes of answers that agree. Instead each answer has its
// own group, all that agree with *it*, and the answer that is given is the one in the middle: everyone in its group agrees
// with what the caller gets, though two of them may differ by twice the tolerance. (By EXACT and LABEL the groups of
// answers that agree are equal.) An answer leads by the first of these in which it differs from another:
//
//   1  its group has what the policy needs, of enough kinds
//   2  it has that, and more than half gave it to the bit: no later ballot takes the lead from it, whatever the compare
//   3  its group is the larger
//   4  more gave it to the bit
//   5  it is no refusal
//   6  its digests are the smaller, state before readout before layers before session state; of refusals, its key
//
// Nothing in this depends on the order of the ballots. An absent engine, one without an answer, does not vote. An engine
// votes at most once: only its first ballot counts, the others are as absent.
import { type Compare, type EngineKind, needed, type VotePolicy } from './policy.ts';

export type Answer = ComputedAnswer | Refusal;

export interface ComputedAnswer {
  readonly stateDigest: bigint;
  /** Over everything that is returned (proto/NUMERICS.md); of a full answer as the router computes it. */
  readonly readoutDigest: bigint;
  /** Over the layers, as the router computes it; undefined: none were told. */
  readonly detailDigest?: bigint | undefined;
  /** Over the session state that is returned; undefined: none was asked for. */
  readonly sessionDigest?: bigint | undefined;
  /** Undefined where only digests were asked for: such an answer agrees with the same one only. */
  readonly scores?: readonly number[] | undefined;
  /** Index of the label. */
  readonly label?: number | undefined;
  readonly refusal?: undefined;
}

export interface Refusal {
  /** Equal where two refusals agree: reason, step and node. */
  readonly refusal: string;
  readonly stateDigest?: undefined;
  readonly readoutDigest?: undefined;
  readonly detailDigest?: undefined;
  readonly sessionDigest?: undefined;
  readonly scores?: undefined;
  readonly label?: undefined;
}

export interface Ballot {
  readonly engineId: string;
  readonly engineKind: EngineKind;
  /** Undefined: absent. */
  readonly answer?: Answer | undefined;
}

export interface Group {
  /** The answer in the middle, with scores and label if any engine gave them with it. */
  readonly answer: Answer;
  /** Places of the ballots that hold this answer to the bit, ascending. */
  readonly copies: readonly number[];
  /** Places of the ballots that agree with it, ascending. */
  readonly members: readonly number[];
  /** Of the engines that agree with it. */
  readonly kinds: ReadonlySet<EngineKind>;
}

export interface Tally {
  readonly ballots: number;
  /** Engines heard of, absent ones too. */
  readonly engineCount: number;
  /** Places of the ballots that count. */
  readonly voters: ReadonlySet<number>;
  /** How many must agree. */
  readonly needed: number;
  /** One for each answer, the leading one first; none if there are no votes. */
  readonly groups: readonly Group[];
}

export function tally(ballots: readonly Ballot[], policy: VotePolicy): Tally {
  const { engineCount, answers } = sortOut(ballots);
  const voted = answers.reduce((sum, { copies }) => sum + copies.length, 0);
  const half = Math.max(policy.participants, voted) / 2;
  const groups = answers.map(({ answer, copies }): Group => {
    const others = answers.filter((other) => agree(answer, other.answer, policy.compare));
    const members = others.flatMap((other) => other.copies).sort((a, b) => a - b);
    return { answer, copies, members, kinds: new Set(members.map((index) => ballots[index]!.engineKind)) };
  });
  const enough = needed(policy, voted);
  const fulfils = ({ members, kinds }: Group): number =>
    Number(members.length >= enough && kinds.size >= policy.distinctKinds);
  const isFirm = (group: Group): number => fulfils(group) * Number(group.copies.length > half);
  groups.sort(
    (a, b) =>
      fulfils(b) - fulfils(a) ||
      isFirm(b) - isFirm(a) ||
      b.members.length - a.members.length ||
      b.copies.length - a.copies.length ||
      compareAnswers(a.answer, b.answer),
  );
  return {
    ballots: ballots.length,
    engineCount,
    voters: new Set(answers.flatMap(({ copies }) => copies)),
    needed: enough,
    groups,
  };
}

export function agree(a: Answer, b: Answer, by: Compare): boolean {
  if (areSame(a, b)) return true;
  switch (by.kind) {
    case 'EXACT':
      return false;
    case 'TOLERANCE':
      return areAlike(a, b) && areWithin(by.tolerance, a.scores, b.scores);
    case 'LABEL':
      return areAlike(a, b);
  }
}

/** Index of the answer's label; undefined: not known, or a refusal. */
export function labelOf({ label, scores }: Answer): number | undefined {
  if (label !== undefined || scores === undefined || scores.length === 0) return label;
  return scores.reduce((best, score, k) => (score > scores[best]! ? k : best), 0);
}

function areAlike(a: Answer, b: Answer): boolean {
  const label = labelOf(a);
  return label !== undefined && label === labelOf(b);
}

function areWithin(tolerance: number, a: readonly number[] = [], b: readonly number[] = []): boolean {
  return a.length > 0 && a.length === b.length && a.every((score, k) => Math.abs(score - b[k]!) <= tolerance);
}

interface Distinct {
  answer: Answer;
  readonly copies: number[];
}

/** Every answer that was given, once. Where copies of it tell more or less, the one that tells most stands for it. */
function sortOut(ballots: readonly Ballot[]): { readonly engineCount: number; readonly answers: readonly Distinct[] } {
  const engineIds = new Set<string>();
  const answers: Distinct[] = [];
  for (const [index, { engineId, answer }] of ballots.entries()) {
    const isFirst = !engineIds.has(engineId);
    engineIds.add(engineId);
    if (!isFirst || answer === undefined) continue;
    // A few at most, so that looking for it is quicker than making a key of two big integers.
    const known = answers.find((other) => areSame(other.answer, answer));
    if (known === undefined) {
      answers.push({ answer, copies: [index] });
      continue;
    }
    known.copies.push(index);
    if (tells(answer) > tells(known.answer)) known.answer = answer;
  }
  return { engineCount: engineIds.size, answers };
}

function areSame(a: Answer, b: Answer): boolean {
  const areDigests = a.stateDigest === b.stateDigest && a.readoutDigest === b.readoutDigest;
  const areTold = a.detailDigest === b.detailDigest && a.sessionDigest === b.sessionDigest;
  return a.refusal === b.refusal && areDigests && areTold;
}

/** 0: digests only, or a refusal. */
export function tells({ scores, label }: Answer): number {
  return scores !== undefined ? 2 : label !== undefined ? 1 : 0;
}

function compareAnswers(a: Answer, b: Answer): number {
  if (a.refusal !== undefined || b.refusal !== undefined) return compare(a.refusal ?? '', b.refusal ?? '');
  const byDigests = compare(a.stateDigest, b.stateDigest) || compare(a.readoutDigest, b.readoutDigest);
  const byDetail = byDigests || compare(a.detailDigest ?? 0n, b.detailDigest ?? 0n);
  return byDetail || compare(a.sessionDigest ?? 0n, b.sessionDigest ?? 0n);
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
