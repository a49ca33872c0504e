import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { isAtLeastAsStrict, needed, tighten, type VotePolicy } from './policy.ts';

const base: VotePolicy = {
  participants: 5,
  agreement: { kind: 'MAJORITY' },
  mode: 'PARALLEL',
  compare: { kind: 'TOLERANCE', tolerance: 0.1 },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};
const lenient: Partial<VotePolicy> = { onDispute: 'ACCEPT_PLURALITY', onFew: 'ACCEPT_DEGRADED' };
const MAX_PARTICIPANTS = 9;

function count(n: number): Partial<VotePolicy> {
  return { agreement: { kind: 'COUNT', count: n } };
}

function tolerance(most: number): Partial<VotePolicy> {
  return { compare: { kind: 'TOLERANCE', tolerance: most } };
}

const unanimous: Partial<VotePolicy> = { agreement: { kind: 'UNANIMOUS' } };
const majority: Partial<VotePolicy> = { agreement: { kind: 'MAJORITY' } };
const exact: Partial<VotePolicy> = { compare: { kind: 'EXACT' } };
const label: Partial<VotePolicy> = { compare: { kind: 'LABEL' } };

describe('needed', () => {
  it.each([
    ['MAJORITY of 3', { ...majority, participants: 3 }, 0, 2],
    ['MAJORITY of 4', { ...majority, participants: 4 }, 0, 3],
    ['MAJORITY of 1', { ...majority, participants: 1 }, 0, 1],
    ['UNANIMOUS of 5', unanimous, 0, 5],
    ['COUNT 4 of 5', count(4), 0, 4],
    ['COUNT 2 of 5, which is less than a majority', count(2), 0, 3],
    // Fewer voters do not lower it, more voters raise it.
    ['MAJORITY of 5 with 2 voters', majority, 2, 3],
    ['MAJORITY of 5 with 8 voters', majority, 8, 5],
    ['UNANIMOUS of 5 with 8 voters', unanimous, 8, 8],
    ['COUNT 4 of 5 with 8 voters', count(4), 8, 5],
  ])('%s', (_, over, voters, expected) => {
    expect(needed({ ...base, ...over }, voters)).toBe(expected);
  });
});

describe('a stricter compare', () => {
  it.each([
    ['is stricter if a dispute fails', { ...lenient, onDispute: 'FAIL' }, true],
    ['is not stricter if a plurality wins, since smaller groups may give one', lenient, false],
  ] as const)('%s', (_, over, expected) => {
    expect(isAtLeastAsStrict({ ...base, ...over, ...exact }, { ...base, ...lenient })).toBe(expected);
  });
});

describe('tighten accepts', () => {
  it.each<[string, Partial<VotePolicy>, Partial<VotePolicy>]>([
    ['nothing', {}, {}],
    ['nothing with an undefined field', {}, { participants: undefined }],
    ['the participants', {}, { participants: 9 }],
    ['MAJORITY to UNANIMOUS', {}, unanimous],
    ['MAJORITY to a COUNT', {}, count(4)],
    ['MAJORITY to an equal COUNT', {}, count(3)],
    ['a COUNT to a larger MAJORITY', count(4), { ...majority, participants: 7 }],
    ['TOLERANCE to EXACT', {}, exact],
    ['TOLERANCE to a smaller one', {}, tolerance(0.05)],
    ['LABEL to TOLERANCE', label, tolerance(1)],
    ['the kinds', {}, { distinctKinds: 2 }],
    ['a lenient policy to FAIL', lenient, { onDispute: 'FAIL', onFew: 'FAIL' }],
    ['a lenient policy to a stricter compare that fails on dispute', lenient, { ...exact, onDispute: 'FAIL' }],
    ['the mode, one way', {}, { mode: 'STAGED' }],
    ['the mode, the other way', { mode: 'STAGED' }, { mode: 'PARALLEL' }],
  ])('%s', (_, over, wanted) => {
    const server = { ...base, ...over };
    const wishes = Object.entries<unknown>(wanted).filter(([, wish]) => wish !== undefined);
    expect(tighten(server, wanted, MAX_PARTICIPANTS)).toEqual({ ...server, ...Object.fromEntries(wishes) });
  });

  it('more participants, and raises COUNT to more than half of them', () => {
    const server = { ...base, ...count(3) };
    expect(tighten(server, { participants: 9 }, MAX_PARTICIPANTS).agreement).toEqual({ kind: 'COUNT', count: 5 });
  });

  it('a server policy with more participants than a request may set', () => {
    expect(tighten({ ...base, participants: 15 }, exact, MAX_PARTICIPANTS).participants).toBe(15);
  });
});

describe('tighten refuses', () => {
  it.each<[string, Partial<VotePolicy>, Partial<VotePolicy>, string, string, string]>([
    ['fewer participants', {}, { participants: 3 }, 'participants', '3', '5'],
    ['too many participants', {}, { participants: 10 }, 'participants', '10', '9'],
    ['a fraction of participants', {}, { participants: 5.5 }, 'participants', '5.5', '9'],
    ['MAJORITY, not UNANIMOUS', unanimous, majority, 'agreement', 'MAJORITY (3 of 5)', 'UNANIMOUS (5 of 5)'],
    ['COUNT, not UNANIMOUS', unanimous, count(5), 'agreement_count', 'COUNT (5 of 5)', 'UNANIMOUS (5 of 5)'],
    ['a MAJORITY smaller than the COUNT', count(4), majority, 'agreement', 'MAJORITY (3 of 5)', 'COUNT (4 of 5)'],
    ['a smaller COUNT', count(4), count(3), 'agreement_count', 'COUNT (3 of 5)', 'COUNT (4 of 5)'],
    ['a COUNT below a majority', {}, count(2), 'agreement_count', '2', '3 to 5'],
    [
      'a COUNT below a majority of more participants',
      count(4),
      { ...count(4), participants: 9 },
      'agreement_count',
      '4',
      'more than half of the 9',
    ],
    ['a COUNT larger than the participants', {}, count(6), 'agreement_count', '6', '3 to 5'],
    ['a COUNT of NaN', {}, count(NaN), 'agreement_count', 'NaN', '3 to 5'],
    ['a larger TOLERANCE', {}, tolerance(0.2), 'tolerance', 'TOLERANCE 0.2', 'TOLERANCE 0.1'],
    ['a negative TOLERANCE', {}, tolerance(-1), 'tolerance', '-1', '0 to 1'],
    ['a TOLERANCE of NaN', {}, tolerance(NaN), 'tolerance', 'NaN', '0 to 1'],
    ['LABEL, not TOLERANCE', {}, label, 'compare', 'LABEL', 'TOLERANCE 0.1'],
    ['TOLERANCE, not EXACT', exact, tolerance(0), 'compare', 'TOLERANCE 0', 'EXACT'],
    ['fewer kinds', { distinctKinds: 2 }, { distinctKinds: 1 }, 'distinct_kinds', '1', '2'],
    ['more kinds than exist', {}, { distinctKinds: 3 }, 'distinct_kinds', '3', '1 to 2'],
    ['a plurality', {}, { onDispute: 'ACCEPT_PLURALITY' }, 'on_dispute', 'ACCEPT_PLURALITY', 'FAIL'],
    ['a degraded answer', {}, { onFew: 'ACCEPT_DEGRADED' }, 'on_few', 'ACCEPT_DEGRADED', 'FAIL'],
    ['a stricter compare if a plurality wins', lenient, exact, 'compare', 'EXACT', 'TOLERANCE 0.1'],
  ])('%s', (_, over, wanted, field, theirs, own) => {
    let thrown: unknown;
    try {
      tighten({ ...base, ...over }, wanted, MAX_PARTICIPANTS);
    } catch (error) {
      thrown = error;
    }
    const { kind, violation, message } = RouterError.from(thrown);
    expect([kind, violation?.field]).toEqual(['INVALID_FIELD', `vote.${field}`]);
    expect(message).toContain(theirs);
    expect(message).toContain(own);
  });
});
