// The rules of one vote, and what a request may change of them: it may tighten them, never loosen them.
//
// Strictness is a partial order, `isAtLeastAsStrict`. Whatever a stricter policy accepts, the looser one accepts, too:
//
//   participants   more are stricter
//   agreement      UNANIMOUS, then whatever makes more agree. COUNT and MAJORITY are both at least a majority.
//   compare        EXACT, TOLERANCE (the smaller the stricter), LABEL. Answers that agree by one agree by all after it.
//   distinctKinds  more are stricter
//   onDispute, onFew   FAIL, then to accept
//   mode           no matter: it changes what a vote costs, not what it is worth
//
// A stricter compare splits groups, and so can leave one group the largest where the looser one sees two as large as each
// other. Therefore it is stricter only where a dispute fails.
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
  /** How many engines vote. What must agree is counted of so many, even where fewer can be asked. At least 1. */
  readonly participants: number;
  readonly agreement: Agreement;
  /** Ask all at once; or as many as must agree, and more only when they differ or are absent. */
  readonly mode: 'PARALLEL' | 'STAGED';
  readonly compare: Compare;
  /** At least so many engine kinds among those that agree; 1: no demand. */
  readonly distinctKinds: number;
  /** Where no answer has enough votes. */
  readonly onDispute: 'FAIL' | 'ACCEPT_PLURALITY';
  /** Where too few engines, or engines of too few kinds, could vote. */
  readonly onFew: 'FAIL' | 'ACCEPT_DEGRADED';
}

/**
 * How many must agree where so many voted: always more than half, so that no two contradicting answers have it.
 * `voters` matters only beyond the participants.
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
 * `base` with what a request wants instead. Throws RouterError INVALID_FIELD for a wish that would loosen it or that makes
 * no sense; its field is the one in the request message, `vote.…`.
 *
 * A COUNT that is not wished otherwise grows with the participants where it has to, to stay more than half of them.
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

/** `base` has the participants already that the request wants. */
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

/** However many vote, `a` makes at least as many of them agree as `b` does. */
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
  const message = `vote.${field} ${wanted} would loosen the vote, which is ${base} here; send that, or what is stricter`;
  throw new RouterError('INVALID_FIELD', message, { field: `vote.${field}` });
}

function agreementInWords(policy: VotePolicy): string {
  return `${policy.agreement.kind} (${needed(policy)} of ${policy.participants})`;
}

function compareInWords(compare: Compare): string {
  return compare.kind === 'TOLERANCE' ? `TOLERANCE ${compare.tolerance}` : compare.kind;
}
