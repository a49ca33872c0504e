import { describe, expect, it } from '@jest/globals';
import { passage } from '../../../test/fakes/agent-parts.ts';
import { linksNotIn, quoteIn } from './citations.ts';
import { extractAnswer } from './extract.ts';
import { answerRequest } from './provider-answer.ts';

describe('quoteIn', () => {
  it.each([
    ['the same words', 'opens at six', 'It opens at six.', 'opens at six'],
    ['other white space', 'opens \n at  six', 'It opens\tat six.', 'opens at six'],
    ['other words', 'opens at nine', 'It opens at six.', undefined],
    ['other capital letters', 'Opens at six', 'It opens at six.', undefined],
    ['no words', '  ', 'It opens at six.', undefined],
  ])('handles %s', (_what, quote, text, found) => {
    expect(quoteIn(quote, text)).toBe(found);
  });
});

it('linksNotIn finds a link that is in none of the texts', () => {
  const texts = ['See https://bakery.example/hours for more.'];
  expect(linksNotIn('It is at https://bakery.example/hours.', texts)).toBe(false);
  expect(linksNotIn('It is at https://bakery.example/hours/login.', texts)).toBe(true);
  expect(linksNotIn('It is at www.evil.example', texts)).toBe(true);
});

describe('extractAnswer', () => {
  it('selects the sentence with the rarest words of the query', () => {
    const passages = [
      passage('The shop sells bread. The shop is in Berlin.', 'a'),
      passage('The oven bakes at 250 degrees. The shop has one oven.', 'b'),
    ];
    expect(extractAnswer('How hot does the oven bake?', passages)).toEqual({
      answer: 'The oven bakes at 250 degrees.',
      citations: [{ passage: 1, document: 'b', quote: 'The oven bakes at 250 degrees.' }],
    });
  });

  it('returns the first sentence of the best passage if no word matches', () => {
    const { answer } = extractAnswer('quantum?', [passage('Bread is good. So is cake.')]);
    expect(answer).toBe('Bread is good.');
  });

  it('returns an empty answer without text', () => {
    expect(extractAnswer('quantum?', [])).toEqual({ answer: '', citations: [] });
    expect(extractAnswer('quantum?', [passage(' \n ')])).toEqual({ answer: '', citations: [] });
  });
});

it('answerRequest sends the best passages within its size limit', () => {
  const { data } = answerRequest('?', [passage('a'.repeat(40_000)), passage('b'.repeat(40_000)), passage('c')]);
  const { passages } = JSON.parse(data) as { passages: { index: number; text: string }[] };
  expect(passages.map(({ index, text }) => [index, text.length])).toEqual([
    [0, 40_000],
    [1, 7_994],
  ]);
});
