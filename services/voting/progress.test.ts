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
 * One letter for each ballot: equal letters are the same answer, capital letters come from local engines, "-" is an
 * absent engine. a and b have one label, c and d another one; x has digests only; r is a refusal.
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

/** The engines that have not answered, one letter each: "L" is a local engine, "s" a sidecar. */
function waiting(letters: string): EngineKind[] {
  return Array.from(letters).map(kindOf);
}

describe('whether a vote is decided', () => {
  it.each<[string, VotePolicy, string, string, boolean]>([
    ['no engine voted', of(3), '', 'sss', false],
    ['two of three agree', of(3), 'aa', 's', true],
    ['one voted', of(3), 'a', 'ss', false],
    ['two differ', of(3), 'ab', 's', false],
    ['three of five agree', of(5), 'aaa', 'ss', true],
    ['two of five agree', of(5), 'aab', 'ss', false],
    ['half agree', of(4), 'aa', 'ss', false],
    ['more asked than participants: three may outvote two', of(3), 'aa', 'sss', false],
    ['more asked than participants: two cannot outvote three', of(3), 'aaa', 'ss', true],
    // No engine is still computing, but a seat is free: one more may be asked.
    ['a replacement may vote', of(3), 'a-', '', false],
    ['no seat is free', of(3), 'abc', '', true],
    // It can be certain before the last ballot that no answer wins.
    ['all must agree and two differ', all(3), 'ab', 's', true],
    ['two differ, and the last one could be the majority', of(3), 'ab', '', false],
    ['neither of two pairs can get a majority', of(6), 'aabbc', 's', true],
    ['neither can get a majority, but one a plurality', { ...of(6), ...plural }, 'aabbc', 's', false],
    ['an answer accepted with few votes may still be contradicted', { ...of(3), ...few }, 'a--', 'ss', false],
    ['an answer accepted with few votes may still get enough', { ...all(5), ...few, ...plural }, 'aaaa', 's', false],
    ['a plurality, and one more must vote', { ...all(5), ...plural }, 'aaab', 's', false],
    ['a plurality that one more cannot overtake', { ...all(5), ...few, ...plural }, 'aaab', 's', true],
    ['a plurality that two more can', { ...all(5), ...few, ...plural }, 'aab', 'ss', false],
    // Kinds.
    ['both kinds agree', { ...of(3), ...kinds2 }, 'Aa', 's', true],
    ['one kind agrees, the other may still agree', { ...of(3), ...kinds2 }, 'aa', 'L', false],
    ['one kind agrees, and a replacement may be of the other', { ...of(3), ...kinds2 }, 'aa', 's', false],
    // Looser comparisons.
    ['by TOLERANCE, most answers are equal', near, 'aaa', 'ss', true],
    ['by TOLERANCE, not before all have voted', near, 'aabc', 's', false],
    ['by TOLERANCE, all have voted', near, 'aabcd', '', true],
    ['by TOLERANCE, half of the answers are equal', { ...near, participants: 6 }, 'aaab', 's', false],
    ['by LABEL, half of the answers are equal', { ...label, participants: 6 }, 'aaab', 's', true],
    ['by LABEL, and another may become as common', { ...label, participants: 4 }, 'aab', 's', false],
    ['by LABEL, and one label is not known', { ...label, ...all(3), compare: { kind: 'LABEL' } }, 'xa', 's', false],
    ['by LABEL, and the commonest answer may change', label, 'aab', 'ss', false],
    ['by LABEL, and the commonest answer cannot change', { ...label, participants: 4 }, 'aaa', 's', true],
  ])('%s', (_, policy, letters, others, expected) => {
    expect(progress(ballots(letters), waiting(others), policy).isDecided).toBe(expected);
  });
});

describe('the engines to ask now', () => {
  it.each<[string, VotePolicy, string, string, number, string]>([
    // STAGED.
    ['at first as many as must agree', of(3), '', '', 2, ''],
    ['all, if all must', all(3), '', '', 3, ''],
    ['none while they may agree', of(3), 'a', 's', 0, ''],
    ['none once they agree', of(3), 'aa', '', 0, ''],
    ['one more if they differ', of(3), 'ab', '', 1, ''],
    ['one more if they differ, with one not answered', of(5), 'ab', 's', 1, ''],
    ['one for each that differs', of(5), 'abc', '', 2, ''],
    ['none if no answer can get enough', all(3), 'ab', '', 0, ''],
    ['none if all were asked', of(3), 'abc', '', 0, ''],
    ['one more if one is absent', of(3), 'a-', '', 1, ''],
    ['one more if one is absent, with one not answered', of(3), '-', 's', 1, ''],
    ['a replacement if two are absent', of(3), 'a--', '', 1, '1 stands in'],
    ['replacements if all are absent', of(3), '---', '', 2, '2 stand in'],
    ['the last participant, and replacements', of(5), '----', '', 3, '2 stand in'],
    ['one more, even if the one vote would be accepted', { ...of(3), ...few }, 'a-', '', 1, ''],
    // Kinds.
    ['both kinds', { ...of(3), ...kinds2 }, '', '', 2, 'local sidecar'],
    ['the other kind', { ...of(3), ...kinds2 }, '', 's', 1, 'local'],
    ['any kind once both have voted', { ...of(5), ...kinds2 }, 'aA', '', 1, ''],
    ['the other kind, although enough agree', { ...of(3), ...kinds2 }, 'aa', '', 1, 'local'],
    ['the kind that dissented', { ...of(5), ...kinds2 }, 'aaB', '', 1, 'local'],
    ['none while an engine of that kind has not answered', { ...of(3), ...kinds2 }, 'aa', 'L', 0, ''],
    // PARALLEL.
    ['all', { ...of(3), mode: 'PARALLEL' }, '', '', 3, ''],
    ['all, of both kinds', { ...of(3), ...kinds2, mode: 'PARALLEL' }, '', '', 3, 'local sidecar'],
    ['a replacement for an absent engine', { ...of(3), mode: 'PARALLEL' }, 'a-', 's', 1, '1 stands in'],
    ['none if enough agree, although it is not yet decided', { ...near, mode: 'PARALLEL' }, 'aab-', 's', 0, ''],
    ['none for an absent engine that is not needed', { ...of(3), mode: 'PARALLEL' }, 'aa-', '', 0, ''],
  ])('%s', (_, policy, letters, others, count, rest) => {
    const { more } = progress(ballots(letters), waiting(others), policy);
    const standIns = more.standIns === 0 ? '' : `${more.standIns} ${more.standIns === 1 ? 'stands' : 'stand'} in`;
    expect([more.count, more.kinds.join(' ') + standIns]).toEqual([count, rest]);
  });
});
