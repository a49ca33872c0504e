import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Answer, type Ballot, isDecided, type Verdict, verdict } from './verdict.ts';

const honest: Answer = { stateDigest: 7n, spikeCounts: [3, 0, 1], potentials: Uint8Array.of(0, 0, 128, 63) };

/** One letter an answer: equal letters agree. "-" is an absent engine. */
function ballot(letter: string, engineId: string): Ballot {
  return { engineId, answer: letter === '-' ? undefined : { ...honest, stateDigest: BigInt(letter.charCodeAt(0)) } };
}

function ballots(letters: string): Ballot[] {
  return Array.from(letters).map((letter, place) => ballot(letter, `engine-${place}`));
}

/** "UNANIMOUS a ++o": grade, winning letter, and + agreed, x dissented, o absent. */
function inWords(letters: string, given: Verdict): string {
  if (given.kind === 'TOO_FEW') return `TOO_FEW ${given.voted} of ${given.needed}`;
  const marks = given.outcomes.map((outcome) => ({ AGREED: '+', DISSENTED: 'x', ABSENT: 'o' })[outcome]).join('');
  return given.kind === 'DISPUTED' ? `DISPUTED ${marks}` : `${given.grade} ${letters[given.winner]} ${marks}`;
}

describe('the verdict', () => {
  it.each([
    // All that were asked vote.
    [3, 'aaa', 'UNANIMOUS a +++'],
    [3, 'aab', 'MAJORITY a ++x'],
    [3, 'baa', 'MAJORITY a x++'],
    [3, 'abc', 'DISPUTED xxx'],
    [2, 'aa', 'UNANIMOUS a ++'],
    [2, 'ab', 'DISPUTED xx'],
    [4, 'aabb', 'DISPUTED xxxx'],
    [4, 'aaab', 'MAJORITY a +++x'],
    [5, 'aabbc', 'DISPUTED xxxxx'],
    [5, 'babab', 'MAJORITY b +x+x+'],
    [1, 'a', 'UNANIMOUS a +'],
    // An absent engine does not dissent, …
    [3, 'a-a', 'UNANIMOUS a +o+'],
    [5, 'aa-ab', 'MAJORITY a ++o+x'],
    // … but the majority is still that of all.
    [3, 'a--', 'TOO_FEW 1 of 2'],
    [3, 'ab-', 'DISPUTED xxo'],
    [4, 'aa--', 'TOO_FEW 2 of 3'],
    [5, 'aab--', 'DISPUTED xxxoo'],
    [3, '---', 'TOO_FEW 0 of 2'],
    // Fewer engines than the majority is counted of.
    [3, 'a', 'TOO_FEW 1 of 2'],
    [3, '', 'TOO_FEW 0 of 2'],
    [5, 'aaa', 'UNANIMOUS a +++'],
    // More engines than that: more than half of them, too.
    [3, 'aabb', 'DISPUTED xxxx'],
    [3, 'aabbb', 'MAJORITY b xx+++'],
  ])('of a majority of %d and ballots %j is %s', (majorityOf, letters, expected) => {
    expect(inWords(letters, verdict(ballots(letters), { majorityOf }))).toBe(expected);
  });

  it.each<[string, Partial<Answer>]>([
    ['digest', { stateDigest: 8n }],
    ['spike counts', { spikeCounts: [3, 0, 2] }],
    ['number of spike counts', { spikeCounts: [3, 0] }],
    ['potentials', { potentials: Uint8Array.of(1, 0, 128, 63) }],
    ['sign of a zero among the potentials', { potentials: Uint8Array.of(0, 0, 128, 191) }],
  ])('counts as dissent what differs in nothing but its %s', (_, over) => {
    const answers = [honest, { ...honest, ...over }, { ...honest, potentials: Buffer.from(honest.potentials) }];
    const given = verdict(
      answers.map((answer, place) => ({ engineId: `${place}`, answer })),
      { majorityOf: 3 },
    );
    expect(given).toMatchObject({ grade: 'MAJORITY', outcomes: ['AGREED', 'DISSENTED', 'AGREED'] });
  });

  it('counts an engine’s first ballot only', () => {
    const stuffed = [ballot('b', 'x'), ballot('b', 'x'), ballot('b', 'x'), ballot('a', 'y'), ballot('a', 'z')];
    expect(inWords('bbbaa', verdict(stuffed, { majorityOf: 3 }))).toBe('MAJORITY a xoo++');
  });

  it('does not let an engine vote that was absent first', () => {
    const late = [ballot('-', 'x'), ballot('a', 'x'), ballot('a', 'y')];
    expect(verdict(late, { majorityOf: 3 })).toEqual({ kind: 'TOO_FEW', voted: 1, needed: 2 });
  });
});

describe('a vote is decided', () => {
  it.each([
    [3, 'aa', 1, true],
    [3, 'a', 2, false],
    [3, 'ab', 1, false],
    [3, 'a-', 1, false],
    [5, 'aaa', 2, true],
    [5, 'aab', 2, false],
    [4, 'aa', 2, false],
    [4, 'aaa', 1, true],
    [3, '', 3, false],
    // More engines than the majority is counted of: two may still be outvoted by three.
    [3, 'aa', 3, false],
    [3, 'aaa', 2, true],
  ])('of a majority of %d by ballots %j with %d to come: %j', (majorityOf, letters, stillWaiting, expected) => {
    expect(isDecided(ballots(letters), stillWaiting, { majorityOf })).toBe(expected);
  });
});

describe('whatever the ballots', () => {
  const anyLetters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 15 });
  const anyMajority = fc.integer({ min: 1, max: 15 });
  const winnerOf = (letters: string, given: Verdict): string =>
    given.kind === 'AGREED' ? letters[given.winner]! : given.kind;

  it('their order does not matter', () => {
    const shuffled = anyLetters.chain((letters) =>
      fc.tuple(
        fc.constant(letters),
        fc
          .shuffledSubarray(Array.from(letters), { minLength: letters.length, maxLength: letters.length })
          .map((all) => all.join('')),
      ),
    );
    fc.assert(
      fc.property(shuffled, anyMajority, ([letters, otherwise], majorityOf) => {
        const [one, other] = [verdict(ballots(letters), { majorityOf }), verdict(ballots(otherwise), { majorityOf })];
        expect(winnerOf(otherwise, other)).toBe(winnerOf(letters, one));
        expect(other.kind === 'AGREED' && other.grade).toBe(one.kind === 'AGREED' && one.grade);
      }),
    );
  });

  it('f liars among 2f + 1 engines or more never win, however they conspire', () => {
    const election = fc.nat(7).chain((f) =>
      fc.record({
        lies: fc.string({ unit: fc.constantFrom('b', 'c', '-'), minLength: f, maxLength: f }),
        truths: fc.string({ unit: fc.constantFrom('a', '-'), minLength: f + 1, maxLength: 15 - f }),
      }),
    );
    fc.assert(
      fc.property(election, ({ lies, truths }) => {
        const letters = lies + truths;
        const given = verdict(ballots(letters), { majorityOf: letters.length });
        expect(['a', 'DISPUTED', 'TOO_FEW']).toContain(winnerOf(letters, given));
        if (!truths.includes('-')) expect(winnerOf(letters, given)).toBe('a');
      }),
    );
  });

  it('what is decided stays so, whatever comes', () => {
    fc.assert(
      fc.property(anyLetters, anyLetters, anyMajority, (soFar, toCome, majorityOf) => {
        fc.pre(isDecided(ballots(soFar), toCome.length, { majorityOf }));
        const now = verdict(ballots(soFar), { majorityOf });
        const then = verdict(ballots(soFar + toCome), { majorityOf });
        expect(now.kind).toBe('AGREED');
        expect(winnerOf(soFar + toCome, then)).toBe(winnerOf(soFar, now));
      }),
    );
  });

  it('outcomes are what became of each: agreed with the winner, differed, or was not there', () => {
    fc.assert(
      fc.property(anyLetters, anyMajority, (letters, majorityOf) => {
        const given = verdict(ballots(letters), { majorityOf });
        if (given.kind !== 'AGREED') return;
        const winner = letters[given.winner];
        expect(given.outcomes).toEqual(
          Array.from(letters).map((letter) => (letter === '-' ? 'ABSENT' : letter === winner ? 'AGREED' : 'DISSENTED')),
        );
        expect(given.grade === 'UNANIMOUS').toBe(!given.outcomes.includes('DISSENTED'));
      }),
    );
  });
});
