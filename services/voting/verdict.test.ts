import { describe, expect, it } from '@jest/globals';
import type { VotePolicy } from './policy.ts';
import type { Answer, Ballot, ComputedAnswer } from './tally.ts';
import { type Verdict, verdict } from './verdict.ts';

const of3: VotePolicy = {
  participants: 3,
  agreement: { kind: 'MAJORITY' },
  mode: 'PARALLEL',
  compare: { kind: 'EXACT' },
  distinctKinds: 1,
  onDispute: 'FAIL',
  onFew: 'FAIL',
};
const of = (participants: number): VotePolicy => ({ ...of3, participants });
const all = (participants: number): VotePolicy => ({ ...of(participants), agreement: { kind: 'UNANIMOUS' } });
const count = (n: number, participants: number): VotePolicy => ({
  ...of(participants),
  agreement: { kind: 'COUNT', count: n },
});
const kinds2 = { distinctKinds: 2 } as const;
const few = { onFew: 'ACCEPT_DEGRADED' } as const;
const plural = { onDispute: 'ACCEPT_PLURALITY' } as const;

/**
 * One letter for each ballot: equal letters are the same answer, capital letters come from local engines, "-" is an
 * absent engine, and equal digits are the same refusal.
 */
function ballots(letters: string): Ballot[] {
  return Array.from(letters).map((letter, index) => ({
    engineId: `engine-${index}`,
    engineKind: letter === letter.toLowerCase() ? 'sidecar' : 'local',
    answer: letter === '-' ? undefined : answerOf(letter),
  }));
}

function answerOf(letter: string): Answer {
  return letter >= '0' && letter <= '9' ? { refusal: letter } : digests(letter.toLowerCase().charCodeAt(0));
}

function digests(n: number): ComputedAnswer {
  return { stateDigest: BigInt(n), readoutDigest: 7n };
}

/**
 * For example "AGREED UNANIMOUS a ++o": verdict, grade, winning letter, and the outcomes: + agreed, x dissented, o
 * absent.
 */
function inWords(letters: string, given: Verdict): string {
  const marks = given.outcomes.map((outcome) => ({ AGREED: '+', DISSENTED: 'x', ABSENT: 'o' })[outcome]).join('');
  switch (given.kind) {
    case 'AGREED':
      return `AGREED ${given.grade} ${letters[given.winner]} ${marks}`;
    case 'ACCEPTED':
      return `despite ${given.despite} ${given.grade} ${letters[given.winner]} ${marks}`;
    case 'DISPUTED':
      return `DISPUTED ${marks}`;
    case 'TOO_FEW':
      return `TOO_FEW ${given.voted} of ${given.needed} ${marks}`;
    case 'TOO_FEW_KINDS':
      return `TOO_FEW_KINDS ${given.kinds} of ${given.needed} ${marks}`;
  }
}

/** The verdict on these answers, each of one engine. */
function among(answers: readonly (Answer | undefined)[], policy: VotePolicy): Verdict {
  return verdict(
    answers.map((answer, index) => ({ engineId: `${index}`, engineKind: 'sidecar', answer })),
    policy,
  );
}

describe('verdict', () => {
  it.each<[string, VotePolicy, string, string]>([
    // Rules 6 to 9: the winner and its grade.
    ['all agree', of(3), 'aaa', 'AGREED UNANIMOUS a +++'],
    ['one of three dissents', of(3), 'baa', 'AGREED MAJORITY a x++'],
    ['two of five dissent', of(5), 'babab', 'AGREED MAJORITY b +x+x+'],
    ['one of three refuses', of(3), '1aa', 'AGREED MAJORITY a x++'],
    ['two of three refuse alike', of(3), '1a1', 'AGREED MAJORITY 1 +x+'],
    ['all refuse alike', of(3), '111', 'AGREED UNANIMOUS 1 +++'],
    ['two refuse differently, and one answers', of(3), '12a', 'DISPUTED xxx'],
    ['two refuse differently, and two answer', { ...of(5), ...plural }, '12aa', 'despite DISPUTED PLURALITY a xx++'],
    ['a vote of one refusal', of(1), '1', 'AGREED SINGLE 1 +'],
    ['an absent engine does not dissent', of(3), 'a-a', 'AGREED UNANIMOUS a +o+'],
    ['a vote of one', of(1), 'a', 'AGREED SINGLE a +'],
    ['all agree, and all must', all(3), 'aaa', 'AGREED UNANIMOUS a +++'],
    ['as many as COUNT demands', count(4, 5), 'aaaab', 'AGREED MAJORITY a ++++x'],
    ['more engines than participants, and most of them', of(3), 'aabbb', 'AGREED MAJORITY b xx+++'],
    // Rule 1.
    ['no ballot', of(3), '', 'TOO_FEW 0 of 2 '],
    ['all are absent', of(3), '---', 'TOO_FEW 0 of 2 ooo'],
    ['no votes are never accepted', { ...of(3), ...few, ...plural }, '---', 'TOO_FEW 0 of 2 ooo'],
    // Rule 2.
    ['one of three', of(3), 'a--', 'TOO_FEW 1 of 2 +oo'],
    ['half', of(4), 'aa--', 'TOO_FEW 2 of 3 ++oo'],
    ['one is absent, and all must agree', all(3), 'aa-', 'TOO_FEW 2 of 3 ++o'],
    ['too few, and they differ', of(5), 'ab---', 'TOO_FEW 2 of 3 xxooo'],
    ['too few voted, and most of them contradict one', all(5), 'aaab-', 'TOO_FEW 4 of 5 +++xo'],
    ['a plurality is not enough if too few voted', { ...count(4, 5), ...plural }, 'aab--', 'TOO_FEW 3 of 4 xxxoo'],
    // Rule 2 accepted.
    ['one will do', { ...of(3), ...few }, '-a-', 'despite TOO_FEW SINGLE a o+o'],
    ['few votes that agree are accepted', { ...all(5), ...few }, 'aa-a-', 'despite TOO_FEW UNANIMOUS a ++o+o'],
    ['few votes that differ are not accepted', { ...all(5), ...few }, 'aaab-', 'DISPUTED +++xo'],
    ['two votes that differ are not accepted', { ...of(5), ...few }, 'ab---', 'DISPUTED xxooo'],
    [
      'few votes that differ are accepted with a plurality',
      { ...count(4, 5), ...few, ...plural },
      'aab--',
      'despite TOO_FEW PLURALITY a ++xoo',
    ],
    // Rule 3.
    ['all differ', of(3), 'abc', 'DISPUTED xxx'],
    ['a tie', of(4), 'aabb', 'DISPUTED xxxx'],
    ['no majority of all', of(5), 'aab--', 'DISPUTED xxxoo'],
    ['not unanimous: an engine that contradicts most of them dissents', all(3), 'aba', 'DISPUTED +x+'],
    ['fewer than COUNT demands', count(4, 5), 'aaabb', 'DISPUTED +++xx'],
    ['more engines than participants, and half of them', of(3), 'aabb', 'DISPUTED xxxx'],
    // Rule 3 accepted, and rule 4.
    ['the largest group is accepted', { ...of(5), ...plural }, 'aabc-', 'despite DISPUTED PLURALITY a ++xxo'],
    ['most are accepted if all should agree', { ...all(3), ...plural }, 'aba', 'despite DISPUTED PLURALITY a +x+'],
    ['two largest groups are not accepted', { ...of(5), ...plural }, 'aabbc', 'DISPUTED xxxxx'],
    ['three groups of one are not accepted', { ...of(3), ...plural }, 'abc', 'DISPUTED xxx'],
    // Rule 5.
    ['both kinds', { ...of(3), ...kinds2 }, 'Aab', 'AGREED MAJORITY a ++x'],
    ['one kind only', { ...of(3), ...kinds2 }, 'aaa', 'TOO_FEW_KINDS 1 of 2 +++'],
    ['the other kind dissents', { ...of(3), ...kinds2 }, 'aaB', 'TOO_FEW_KINDS 1 of 2 ++x'],
    ['one kind is accepted', { ...of(3), ...kinds2, ...few }, 'aaB', 'despite TOO_FEW_KINDS MAJORITY a ++x'],
    ['few votes of one kind are accepted', { ...of(3), ...kinds2, ...few }, 'a--', 'despite TOO_FEW SINGLE a +oo'],
    ['a plurality of one kind', { ...of(5), ...kinds2, ...plural }, 'aaBCD', 'TOO_FEW_KINDS 1 of 2 xxxxx'],
    [
      'a plurality of one kind is accepted',
      { ...of(5), ...kinds2, ...plural, ...few },
      'aaBCD',
      'despite DISPUTED PLURALITY a ++xxx',
    ],
  ])('%s', (_, policy, letters, expected) => {
    expect(inWords(letters.toLowerCase(), verdict(ballots(letters), policy))).toBe(expected);
  });

  it('counts an engine’s first ballot only', () => {
    const stuffed = ballots('bbbaa').map((ballot, index) => (index < 3 ? { ...ballot, engineId: 'x' } : ballot));
    expect(inWords('bbbaa', verdict(stuffed, of3))).toBe('AGREED MAJORITY a xoo++');
  });

  it('does not count a vote of an engine that was absent first', () => {
    const late = ballots('-aa').map((ballot, index) => (index < 2 ? { ...ballot, engineId: 'x' } : ballot));
    expect(inWords('-aa', verdict(late, of3))).toBe('TOO_FEW 1 of 2 oo+');
  });
});

describe('answers that agree', () => {
  const exact = of3;
  const label: VotePolicy = { ...of3, compare: { kind: 'LABEL' } };
  const near: VotePolicy = { ...of3, compare: { kind: 'TOLERANCE', tolerance: 0.125 } };
  let next = 0n;
  const scored = (...scores: number[]): ComputedAnswer => ({ stateDigest: 1n, readoutDigest: (next += 1n), scores });
  const labelled = (index: number): ComputedAnswer => ({ stateDigest: 1n, readoutDigest: (next += 1n), label: index });

  it.each<[string, VotePolicy, Answer, Answer, boolean]>([
    ['EXACT: equal digests', exact, digests(1), digests(1), true],
    ['EXACT: another state', exact, digests(1), digests(2), false],
    ['EXACT: another readout', exact, digests(1), { ...digests(1), readoutDigest: 8n }, false],
    ['EXACT: equal scores of another readout', exact, scored(0.5, 0.25), scored(0.5, 0.25), false],
    ['LABEL: equal ones', label, labelled(3), labelled(3), true],
    ['LABEL: other ones', label, labelled(3), labelled(4), false],
    ['LABEL: the largest score gives the label', label, scored(0.25, 0.75), labelled(1), true],
    ['LABEL: digests only', label, labelled(3), digests(2), false],
    ['LABEL: equal digests, one without a label', label, { ...digests(2), label: 3 }, digests(2), true],
    ['TOLERANCE: just within', near, scored(0.75, 0.25), scored(0.625, 0.375), true],
    ['TOLERANCE: just beyond', near, scored(0.75, 0.25), scored(0.625, 0.376), false],
    ['TOLERANCE: close, yet another label', near, scored(0.5, 0.45), scored(0.45, 0.5), false],
    ['TOLERANCE: another number of scores', near, scored(0.75), scored(0.75, 0.25), false],
    ['TOLERANCE: not a number', near, scored(0.75, NaN), scored(0.75, NaN), false],
    ['TOLERANCE: digests only', near, scored(0.75), digests(2), false],
    ['EXACT: equal refusals', exact, { refusal: 'x' }, { refusal: 'x' }, true],
    ['EXACT: other refusals', exact, { refusal: 'x' }, { refusal: 'y' }, false],
    ['EXACT: a refusal and an answer', exact, { refusal: 'x' }, digests(1), false],
    ['LABEL: equal refusals', label, { refusal: 'x' }, { refusal: 'x' }, true],
    ['LABEL: other refusals', label, { refusal: 'x' }, { refusal: 'y' }, false],
    ['LABEL: a refusal and an answer', label, { refusal: 'x' }, labelled(0), false],
    ['TOLERANCE: equal refusals', near, { refusal: 'x' }, { refusal: 'x' }, true],
    ['TOLERANCE: other refusals', near, { refusal: 'x' }, { refusal: 'y' }, false],
    ['TOLERANCE: a refusal and an answer', near, { refusal: 'x' }, scored(0.75), false],
  ])('%s', (_, policy, a, b, expected) => {
    expect(among([a, b], policy).kind === 'AGREED').toBe(expected);
    expect(among([b, a], policy).kind === 'AGREED').toBe(expected);
  });

  it('within a tolerance are represented by the middle one', () => {
    const chain = [scored(0.5), scored(0.625), scored(0.75)];
    const given = among(chain, { ...near, agreement: { kind: 'UNANIMOUS' } });
    expect(given).toMatchObject({ kind: 'AGREED', grade: 'UNANIMOUS', winner: 1 });
  });

  it('within a tolerance are represented by the most frequent one, not the middle', () => {
    const [common, middle, far] = [scored(0.5), scored(0.625), scored(0.75)];
    const given = among([far, middle, common, common, common], { ...near, participants: 5 });
    expect(given).toMatchObject({ kind: 'AGREED', winner: 2 });
    expect(given.outcomes).toEqual(['DISSENTED', 'AGREED', 'AGREED', 'AGREED', 'AGREED']);
  });

  it('within a tolerance win even if a larger group has too few kinds', () => {
    const [low, middle, high, local] = [scored(0.5), scored(0.625), scored(0.75), scored(0.875)];
    const cast = [low, low, middle, high, local].map((answer, index): Ballot => {
      return { engineId: `${index}`, engineKind: answer === local ? 'local' : 'sidecar', answer };
    });
    const given = verdict(cast, { ...near, participants: 5, distinctKinds: 2 });
    expect(given).toMatchObject({ kind: 'AGREED', grade: 'MAJORITY', winner: 3 });
  });

  it('by label do not count as a rival of their own plurality', () => {
    const cast = [labelled(1), labelled(1), labelled(2), labelled(3)];
    const given = among(cast, { ...label, participants: 7, onDispute: 'ACCEPT_PLURALITY' });
    expect(given).toMatchObject({ kind: 'ACCEPTED', grade: 'PLURALITY', winner: 0 });
  });

  it('by label are represented by the most frequent, then by the smallest digests', () => {
    const [a, b, c] = [labelled(1), labelled(1), labelled(2)];
    expect(among([c, b, a, b], label)).toMatchObject({ grade: 'MAJORITY', winner: 1 });
    expect(among([c, b, a], label)).toMatchObject({ grade: 'MAJORITY', winner: 2 });
  });

  it('are represented by an answer with scores if there is one', () => {
    const full: Answer = { ...digests(1), scores: [0.5], label: 0 };
    expect(among([digests(1), full, digests(1)], exact)).toMatchObject({ winner: 1 });
    expect(among([digests(1), digests(1)], exact)).toMatchObject({ winner: 0 });
  });
});
