// Counts ballots: which answers were given, how many engines agree with each, and which answer leads.
//
// Two answers are the same if all their digests are equal. The digests cover everything that an engine returns. The router
// computes the digests of returned data itself, so a false answer with a copied digest does not count for the true answer.
//
// A refusal (the engine says that the input or the model is at fault) is a ballot like an answer. Two refusals are the same
// if their keys are equal. A refusal agrees with the same refusal only, and never with an answer, for every compare.
//
//   EXACT      the same answers agree
//   TOLERANCE  answers with equal labels agree, too, if no scores differ by more than the tolerance
//   LABEL      answers with equal labels agree, too
//
// Agreement within a tolerance is not transitive, so it does not divide the answers into classes. Instead each answer has
// its own group: all answers that agree with it. The caller gets the answer in the middle. Every answer in its group agrees
// with it, although two of them may differ by twice the tolerance. (With EXACT and LABEL, answers that agree have equal
// groups.) The first of these rules that tells two answers apart decides which one leads:
//
//   1  its group has enough members, of enough kinds
//   2  rule 1, and more than half gave exactly this answer: no later ballot can take its lead
//   3  its group is larger
//   4  it has more exact copies
//   5  it is not a refusal
//   6  its digests are smaller, in the order state, readout, layers, session state; for refusals, its key
//
// The result does not depend on the order of the ballots. An absent engine, one without an answer, does not vote. An engine
// votes at most once: its first ballot counts, and its other ballots count as absent.
import { type Compare, type EngineKind, needed, type VotePolicy } from './policy.ts';

export type Answer = ComputedAnswer | Refusal;

export interface ComputedAnswer {
  readonly stateDigest: bigint;
  /** Over everything that is returned (proto/NUMERICS.md). The router computes it for a full answer. */
  readonly readoutDigest: bigint;
  /** Over the layers, computed by the router; undefined if the answer has none. */
  readonly detailDigest?: bigint | undefined;
  /** Over the returned session state; undefined if none was requested. */
  readonly sessionDigest?: bigint | undefined;
  /** Undefined if only digests were requested: such an answer agrees with the same answer only. */
  readonly scores?: readonly number[] | undefined;
  /** Index of the label. */
  readonly label?: number | undefined;
  readonly refusal?: undefined;
}

export interface Refusal {
  /** The key of the refusal: reason, step and node. Two refusals with equal keys agree. */
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
  /** The answer with which all members agree, with scores and label if any engine gave them with it. */
  readonly answer: Answer;
  /** Indices of the ballots with exactly this answer, ascending. */
  readonly copies: readonly number[];
  /** Indices of the ballots that agree with it, ascending. */
  readonly members: readonly number[];
  /** The kinds of the engines that agree with it. */
  readonly kinds: ReadonlySet<EngineKind>;
}

export interface Tally {
  readonly ballots: number;
  /** The number of engines with a ballot, including absent ones. */
  readonly engineCount: number;
  /** Indices of the ballots that count. */
  readonly voters: ReadonlySet<number>;
  /** How many must agree. */
  readonly needed: number;
  /** One group for each answer, the leading one first; empty if there are no votes. */
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

/** Every distinct answer once. If its copies differ in detail, the most detailed copy represents it. */
function sortOut(ballots: readonly Ballot[]): { readonly engineCount: number; readonly answers: readonly Distinct[] } {
  const engineIds = new Set<string>();
  const answers: Distinct[] = [];
  for (const [index, { engineId, answer }] of ballots.entries()) {
    const isFirst = !engineIds.has(engineId);
    engineIds.add(engineId);
    if (!isFirst || answer === undefined) continue;
    // There are few answers, so a search is faster than a key of two big integers.
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

/** The detail of an answer. 0: digests only, or a refusal; 1: a label; 2: scores. */
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
