// The rules of one vote. A request may make them stricter, never looser.
//
// Strictness is a partial order, `isAtLeastAsStrict`. An answer that a stricter policy accepts is also accepted by a looser
// one. The fields, each from strict to loose:
//
//   participants       more are stricter
//   agreement          UNANIMOUS; then COUNT or MAJORITY, by how many must agree. Both are more than half.
//   compare            EXACT; TOLERANCE, from small to large; LABEL. Answers that agree by one agree by all after it.
//   distinctKinds      more are stricter
//   onDispute, onFew   FAIL; then ACCEPT_…
//   mode               does not matter: it changes the cost of a vote, not its result
//
// A stricter compare splits groups. That can leave one largest group where the looser compare sees a tie. So a stricter
// compare makes a policy stricter only if a dispute fails.
import { RouterError } from '../core/errors.ts';

export const ENGINE_KINDS = ['local', 'sidecar'] as const;

export type EngineKind = (typeof ENGINE_KINDS)[number];

export type Agreement =
  | { readonly kind: 'MAJORITY' }
  | { readonly kind: 'UNANIMOUS' }
  /** More than half of the participants. */
  | { readonly kind: 'COUNT'; readonly count: number };

export type Compare =
  | { readonly kind: 'EXACT' }
  /** Largest difference of any score, 0 to 1. */
  | { readonly kind: 'TOLERANCE'; readonly tolerance: number }
  | { readonly kind: 'LABEL' };

export interface VotePolicy {
  /** How many engines vote. `agreement` is a share of this number, even if fewer engines can be asked. At least 1. */
  readonly participants: number;
  readonly agreement: Agreement;
  /** PARALLEL asks all at once. STAGED asks as many as must agree, and more only when they differ or are absent. */
  readonly mode: 'PARALLEL' | 'STAGED';
  readonly compare: Compare;
  /** How many engine kinds there must be among the engines that agree, at least; 1 demands nothing. */
  readonly distinctKinds: number;
  /** If no answer has enough votes. */
  readonly onDispute: 'FAIL' | 'ACCEPT_PLURALITY';
  /** If too few engines, or engines of too few kinds, could vote. */
  readonly onFew: 'FAIL' | 'ACCEPT_DEGRADED';
}

/**
 * How many must agree if `voters` voted: always more than half, so two contradicting answers cannot both have it.
 * `voters` matters only if there are more than the participants.
 */
export function needed({ participants, agreement }: VotePolicy, voters = 0): number {
  const of = Math.max(participants, voters);
  const majority = Math.floor(of / 2) + 1;
  switch (agreement.kind) {
    case 'MAJORITY':
      return majority;
    case 'UNANIMOUS':
      return of;
    case 'COUNT':
      return Math.max(agreement.count, majority);
  }
}

export function isAtLeastAsStrict(a: VotePolicy, b: VotePolicy): boolean {
  return (
    a.participants >= b.participants &&
    agreesAtLeast(a, b) &&
    comparesAtLeast(a.compare, b.compare) &&
    (comparesAtLeast(b.compare, a.compare) || a.onDispute === 'FAIL') &&
    a.distinctKinds >= b.distinctKinds &&
    (a.onDispute === 'FAIL' || b.onDispute !== 'FAIL') &&
    (a.onFew === 'FAIL' || b.onFew !== 'FAIL')
  );
}

/**
 * Returns `base` with the values that a request wants. Throws RouterError INVALID_FIELD for a value that would loosen
 * it or is invalid; its field is the field of the request message, `vote.…`.
 *
 * If the request sets no agreement, a COUNT grows with the participants as needed, to stay more than half of them.
 */
export function tighten(base: VotePolicy, wanted: Partial<VotePolicy>, maxParticipants: number): VotePolicy {
  const participants = wanted.participants ?? base.participants;
  const most = Math.max(base.participants, maxParticipants);
  demand(isWithin(participants, 1, most), 'participants', `${participants}`, `a whole number up to ${most}`);
  permit(participants >= base.participants, 'participants', `${participants}`, `${base.participants}`);

  const grown = { ...base, participants };
  const tightened: VotePolicy = {
    participants,
    agreement: tightenAgreement(grown, wanted.agreement),
    mode: wanted.mode ?? base.mode,
    compare: tightenCompare(base.compare, wanted.compare),
    distinctKinds: wanted.distinctKinds ?? base.distinctKinds,
    onDispute: wanted.onDispute ?? base.onDispute,
    onFew: wanted.onFew ?? base.onFew,
  };
  const { compare, distinctKinds, onDispute, onFew } = tightened;
  const kinds = ENGINE_KINDS.length;
  demand(isWithin(distinctKinds, 1, kinds), 'distinct_kinds', `${distinctKinds}`, `1 to ${kinds}`);
  permit(distinctKinds >= base.distinctKinds, 'distinct_kinds', `${distinctKinds}`, `${base.distinctKinds}`);
  permit(onDispute === 'FAIL' || base.onDispute !== 'FAIL', 'on_dispute', onDispute, base.onDispute);
  permit(onFew === 'FAIL' || base.onFew !== 'FAIL', 'on_few', onFew, base.onFew);
  if (onDispute !== 'FAIL' && !comparesAtLeast(base.compare, compare)) {
    const [own, theirs] = [compareInWords(base.compare), compareInWords(compare)];
    const message = `vote.compare ${theirs} in place of the server's ${own} would find a largest group where ${own} finds a tie; send vote.on_dispute FAIL with it`;
    throw new RouterError('INVALID_FIELD', message, { field: 'vote.compare' });
  }
  return tightened;
}

/** `base` already has the participants that the request wants. */
function tightenAgreement(base: VotePolicy, wanted: Agreement | undefined): Agreement {
  const { participants, agreement } = base;
  if (wanted === undefined) {
    return agreement.kind === 'COUNT' ? { kind: 'COUNT', count: needed(base) } : agreement;
  }
  const field = wanted.kind === 'COUNT' ? 'agreement_count' : 'agreement';
  if (wanted.kind === 'COUNT') {
    const least = Math.floor(participants / 2) + 1;
    const expected = `more than half of the ${participants} participants: ${least} to ${participants}`;
    demand(isWithin(wanted.count, least, participants), field, `${wanted.count}`, expected);
  }
  const tightened = { ...base, agreement: wanted };
  permit(agreesAtLeast(tightened, base), field, agreementInWords(tightened), agreementInWords(base));
  return wanted;
}

function tightenCompare(base: Compare, wanted: Compare | undefined): Compare {
  if (wanted === undefined) return base;
  const field = wanted.kind === 'TOLERANCE' && base.kind === 'TOLERANCE' ? 'tolerance' : 'compare';
  if (wanted.kind === 'TOLERANCE') {
    const { tolerance } = wanted;
    demand(tolerance >= 0 && tolerance <= 1, 'tolerance', `${tolerance}`, '0 to 1');
  }
  permit(comparesAtLeast(wanted, base), field, compareInWords(wanted), compareInWords(base));
  return wanted;
}

/** Returns true if `a` demands at least as many that agree as `b` does, for every number of voters. */
function agreesAtLeast(a: VotePolicy, b: VotePolicy): boolean {
  const isUnanimous = ({ agreement }: VotePolicy): boolean => agreement.kind === 'UNANIMOUS';
  return needed(a) >= needed(b, a.participants) && (isUnanimous(a) || !isUnanimous(b));
}

const STRICTNESS = { LABEL: 0, TOLERANCE: 1, EXACT: 2 } as const satisfies Record<Compare['kind'], number>;

function comparesAtLeast(a: Compare, b: Compare): boolean {
  if (a.kind === 'TOLERANCE' && b.kind === 'TOLERANCE') return a.tolerance <= b.tolerance;
  return STRICTNESS[a.kind] >= STRICTNESS[b.kind];
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function demand(condition: boolean, field: string, wanted: string, expected: string): void {
  if (condition) return;
  const message = `vote.${field} is ${wanted}; send ${expected}`;
  throw new RouterError('INVALID_FIELD', message, { field: `vote.${field}` });
}

function permit(condition: boolean, field: string, wanted: string, base: string): void {
  if (condition) return;
  const message = `vote.${field} ${wanted} would loosen the vote, which is ${base} here; send that, or a stricter value`;
  throw new RouterError('INVALID_FIELD', message, { field: `vote.${field}` });
}

function agreementInWords(policy: VotePolicy): string {
  return `${policy.agreement.kind} (${needed(policy)} of ${policy.participants})`;
}

function compareInWords(compare: Compare): string {
  return compare.kind === 'TOLERANCE' ? `TOLERANCE ${compare.tolerance}` : compare.kind;
}
