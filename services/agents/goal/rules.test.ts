import { describe, expect, it } from '@jest/globals';
import { analyzeByRules } from './rules.ts';

describe('analyzeByRules', () => {
  it('separates the goal from deadline, amounts and exclusions', () => {
    const { goal, constraints } = analyzeByRules(
      'We need to build a web shop for our bakery by March 1, for under $5,000, without using PHP.',
    );
    expect([goal, constraints]).toEqual([
      'Build a web shop for our bakery',
      ['By March 1', 'For under $5,000', 'Without using PHP'],
    ]);
  });

  it('reads sentences with must, should and only as constraints', () => {
    const { constraints } = analyzeByRules('Move the office. It must not rain. Desks should stay. Only Ann has a key.');
    expect(constraints).toEqual(['It must not rain', 'Desks should stay', 'Only Ann has a key']);
  });

  it('reads list items as constraints of the sentence before', () => {
    expect(analyzeByRules('Organise a conference:\n- at least 200 guests\n- must be in Berlin')).toMatchObject({
      goal: 'Organise a conference',
      constraints: ['At least 200 guests', 'Must be in Berlin'],
    });
  });

  it('keeps an amount in the goal if it is part of it', () => {
    expect(
      analyzeByRules(
        'Reduce the latency from 300 ms to under 100 ms before the end of June, keeping memory below 2 GB.',
      ),
    ).toMatchObject({
      goal: 'Reduce the latency from 300 ms to under 100 ms',
      constraints: ['Under 100 ms', 'Before the end of June', 'Keeping memory below 2 GB'],
      successCriteria: [
        'Measured: Under 100 ms',
        'Measured: Keeping memory below 2 GB',
        'Reached before the end of June',
      ],
    });
  });

  it('reads the text after "so that" as a criterion', () => {
    expect(analyzeByRules('Add a search box so that visitors find a page.')).toMatchObject({
      goal: 'Add a search box',
      successCriteria: ['Visitors find a page'],
    });
  });

  it.each([
    ['Learn Spanish.', 'By when must it be reached?'],
    ['Learn Spanish.', 'How will it be checked that it is reached?'],
    ['Build a fast server.', 'What does “fast” mean here, as a number or an example?'],
    ['Build a server. The port is TBD.', 'What is not decided yet, and who decides it?'],
    ['Build a server. Which port do we use?', 'Which port do we use?'],
  ])('returns open questions: %s %s', (text, question) => {
    expect(analyzeByRules(text).openQuestions).toContain(question);
  });

  it('does not ask for a deadline, cost or criterion in the text', () => {
    const { openQuestions } = analyzeByRules('Teach 20 students Spanish within 3 months for under 500 euros.');
    expect(openQuestions).toEqual([]);
  });

  it.each(['', '?', '…', '你好世界', '- ', '\u0000'])('returns a goal for the unusual text %j', (text) => {
    expect(typeof analyzeByRules(text).goal).toBe('string');
  });
});
