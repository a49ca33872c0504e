import { describe, expect, it } from '@jest/globals';
import type { EngineKind, VotePolicy } from './policy.ts';
import { progress } from './progress.ts';
import type { Ballot } from './tally.ts';

const of3: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'STAGED',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};
const of = (participants: number): VotePolicy => ({ ...of3, participants });
const all = (participants: number): VotePolicy => ({ ...of(participants), agreement: { kind: 'UNANIMOUS' } });
const kinds2 = { distinctKinds: 2 } as const;
const few = { onFew: 'ACCEPT_DEGRADED' } as const;
const plural = { onDispute: 'ACCEPT_PLURALITY' } as const;
const near: VotePolicy = { ...of(5), compare: { kind: 'TOLERANCE', tolerance: 0.1 } };
const label: VotePolicy = { ...of(5), compare: { kind: 'LABEL' } };

function kindOf(letter: string): EngineKind {
  return letter === letter.toLowerCase() ? 'sidecar' : 'local';
}

/**
 * One letter a ballot: equal letters are the same answer, capitals come from local engines, "-" is an absent one. a and b
 * have one label, c and d another one; of x there are digests only; r is a refusal.
 */
function ballots(letters: string): Ballot[] {
  return Array.from(letters).map((letter, index) => {
    const digest = BigInt(letter.toLowerCase().charCodeAt(0));
    const digests = { stateDigest: digest, readoutDigest: 7n };
    const known = letter === 'x' ? digests : { ...digests, label: Number(digest > 98n), scores: [0.5] };
    const answer = letter === 'r' ? { refusal: 'NON_FINITE' } : known;
    return { engineId: `engine-${index}`, engineKind: kindOf(letter), answer: letter === '-' ? undefined : answer };
  });
}

/** Those waited for, a letter each: "L" a local engine, "s" a sidecar. */
function waiting(letters: string): EngineKind[] {
  return Array.from(letters).map(kindOf);
}

describe('a vote is decided', () => {
  it.each<[string, VotePolicy, string, string, boolean]>([
    ['nobody voted', of(3), '', 'sss', false],
    ['two of three agree', of(3), 'aa', 's', true],
    ['one voted', of(3), 'a', 'ss', false],
    ['two differ', of(3), 'ab', 's', false],
    ['three of five agree', of(5), 'aaa', 'ss', true],
    ['two of five agree', of(5), 'aab', 'ss', false],
    ['half agree', of(4), 'aa', 'ss', false],
    ['more asked than participants: three may outvote two', of(3), 'aa', 'sss', false],
    ['more asked than participants: two cannot outvote three', of(3), 'aaa', 'ss', true],
    // No ballot is awaited, but a seat is free: one more engine may be asked.
    ['a stand-in may come', of(3), 'a-', '', false],
    ['no seat is free', of(3), 'abc', '', true],
    // That none wins may be certain before all have voted.
    ['all must agree and two differ', all(3), 'ab', 's', true],
    ['two differ, and the last one could be the majority', of(3), 'ab', '', false],
    ['neither of two pairs can get a majority', of(6), 'aabbc', 's', true],
    ['but one of them could be the plurality', { ...of(6), ...plural }, 'aabbc', 's', false],
    ['what is accepted for want of more may yet be contradicted', { ...of(3), ...few }, 'a--', 'ss', false],
    ['or agreed on', { ...all(5), ...few, ...plural }, 'aaaa', 's', false],
    ['a plurality, and one more must vote', { ...all(5), ...plural }, 'aaab', 's', false],
    ['a plurality that one more cannot overtake', { ...all(5), ...few, ...plural }, 'aaab', 's', true],
    ['a plurality that two more can', { ...all(5), ...few, ...plural }, 'aab', 'ss', false],
    // Kinds.
    ['both kinds agree', { ...of(3), ...kinds2 }, 'Aa', 's', true],
    ['one kind agrees, the other may', { ...of(3), ...kinds2 }, 'aa', 'L', false],
    ['one kind agrees, and a stand-in may be of the other', { ...of(3), ...kinds2 }, 'aa', 's', false],
    // Looser comparisons.
    ['by TOLERANCE, most gave the same', near, 'aaa', 'ss', true],
    ['by TOLERANCE, otherwise when all are there', near, 'aabc', 's', false],
    ['by TOLERANCE, now all are there', near, 'aabcd', '', true],
    ['by TOLERANCE, half gave the same', { ...near, participants: 6 }, 'aaab', 's', false],
    ['by LABEL, half gave the same', { ...label, participants: 6 }, 'aaab', 's', true],
    ['by LABEL, and another may become as common', { ...label, participants: 4 }, 'aab', 's', false],
    ['by LABEL, and it is not yet known of all', { ...label, ...all(3), compare: { kind: 'LABEL' } }, 'xa', 's', false],
    ['by LABEL, and the commonest answer may change', label, 'aab', 'ss', false],
    ['by LABEL, and it cannot', { ...label, participants: 4 }, 'aaa', 's', true],
  ])('%s', (_, policy, letters, others, expected) => {
    expect(progress(ballots(letters), waiting(others), policy).isDecided).toBe(expected);
  });
});

describe('to ask now', () => {
  it.each<[string, VotePolicy, string, string, number, string]>([
    // STAGED.
    ['at first as many as must agree', of(3), '', '', 2, ''],
    ['all, if all must', all(3), '', '', 3, ''],
    ['nobody while they may agree', of(3), 'a', 's', 0, ''],
    ['nobody once they do', of(3), 'aa', '', 0, ''],
    ['one more where they differ', of(3), 'ab', '', 1, ''],
    ['one more where they differ already', of(5), 'ab', 's', 1, ''],
    ['one for each that differs', of(5), 'abc', '', 2, ''],
    ['nobody where it is hopeless', all(3), 'ab', '', 0, ''],
    ['nobody where all were asked', of(3), 'abc', '', 0, ''],
    ['one more where one is absent', of(3), 'a-', '', 1, ''],
    ['one more where one is absent already', of(3), '-', 's', 1, ''],
    ['a stand-in where two are absent', of(3), 'a--', '', 1, '1 stands in'],
    ['stand-ins where all are absent', of(3), '---', '', 2, '2 stand in'],
    ['the last participant, and a stand-in', of(5), '----', '', 3, '2 stand in'],
    ['more, even if what there is would be accepted', { ...of(3), ...few }, 'a-', '', 1, ''],
    // Kinds.
    ['both kinds', { ...of(3), ...kinds2 }, '', '', 2, 'local sidecar'],
    ['the other kind', { ...of(3), ...kinds2 }, '', 's', 1, 'local'],
    ['any kind once both are there', { ...of(5), ...kinds2 }, 'aA', '', 1, ''],
    ['the other kind though enough agree', { ...of(3), ...kinds2 }, 'aa', '', 1, 'local'],
    ['the kind that dissented', { ...of(5), ...kinds2 }, 'aaB', '', 1, 'local'],
    ['nobody while that kind is waited for', { ...of(3), ...kinds2 }, 'aa', 'L', 0, ''],
    // PARALLEL.
    ['all', { ...of(3), mode: 'PARALLEL' }, '', '', 3, ''],
    ['all, of both kinds', { ...of(3), ...kinds2, mode: 'PARALLEL' }, '', '', 3, 'local sidecar'],
    ['a stand-in for an absent one', { ...of(3), mode: 'PARALLEL' }, 'a-', 's', 1, '1 stands in'],
    ['nobody where enough agree, though it is not yet decided', { ...near, mode: 'PARALLEL' }, 'aab-', 's', 0, ''],
    ['nobody for an absent one that is not needed', { ...of(3), mode: 'PARALLEL' }, 'aa-', '', 0, ''],
  ])('%s', (_, policy, letters, others, count, rest) => {
    const { more } = progress(ballots(letters), waiting(others), policy);
    const standIns = more.standIns === 0 ? '' : `${more.standIns} ${more.standIns === 1 ? 'stands' : 'stand'} in`;
    expect([more.count, more.kinds.join(' ') + standIns]).toEqual([count, rest]);
  });
});
