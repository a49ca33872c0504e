import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inOrder } from './graph.ts';
import { decomposeByRules } from './rules.ts';

/** Returns each task as "title < dependency". */
function shape(text: string): string[] {
  return decomposeByRules(text).map(({ title, dependsOn }) => [title, ...dependsOn].join(' < '));
}

describe('decomposeByRules', () => {
  it('follows ordering words and resolves "it" and "them"', () => {
    expect(
      shape(
        'First, collect the wishes and write them down. Then build the app. Test it, then deploy it. Finally, announce the launch.',
      ),
    ).toEqual([
      'Collect the wishes',
      'Write them down < t1',
      'Build the app < t2',
      'Test it < t3',
      'Deploy it < t4',
      'Announce the launch < t5',
    ]);
  });

  it('makes numbered lists sequential and plain lists independent', () => {
    expect(shape('1. Install the server\n2. Load the data')).toEqual(['Install the server', 'Load the data < t1']);
    expect(shape('- Write the lexer\n- Write the parser\n- Test the lexer')).toEqual([
      'Write the lexer',
      'Write the parser',
      'Test the lexer < t1',
    ]);
  });

  it('puts the items of a nested list before their parent', () => {
    expect(shape('- Prepare the release\n  - update the log\n  - choose a name\n- Then publish it')).toEqual([
      'Update the log',
      'Choose a name',
      'Prepare the release < t1 < t2',
      'Publish it < t3',
    ]);
  });

  it.each([
    ['After testing the importer, deploy it.', ['Test the importer', 'Deploy it < t1']],
    ['Before deploying the importer, test it.', ['Test it', 'Deploy the importer < t1']],
    ['Test the importer before deploying it.', ['Test the importer', 'Deploy it < t1']],
  ])('orders: %s', (text, tasks) => {
    expect(shape(text)).toEqual(tasks);
  });

  it('lets tasks with "meanwhile" run in parallel', () => {
    expect(shape('Mix the dough. Bake the bread. Meanwhile, clean the kitchen.')).toEqual([
      'Mix the dough',
      'Bake the bread < t1',
      'Clean the kitchen < t1',
    ]);
  });

  it('adds a final check for a condition on the result', () => {
    const tasks = decomposeByRules('Build the site, then publish it. Pages must load in 2 seconds.');
    expect(tasks.at(-1)).toMatchObject({ dependsOn: ['t2'], doneWhen: 'It holds: Pages must load in 2 seconds.' });
  });

  it('adds a task for open points and a check around a task without steps', () => {
    expect(shape('Build a website for my bakery')).toEqual([
      'Settle what is open',
      'Build a website for my bakery < t1',
      'Check the result < t2',
    ]);
  });

  it('uses times and criteria of the text', () => {
    const [first, second] = decomposeByRules('1. Bake the bread (40 minutes)\n2. Test it until no crumb is left');
    expect(first!.estimate).toEqual({ hours: 40 / 60, basis: 'STATED' });
    expect(second).toMatchObject({ doneWhen: 'No crumb is left.', estimate: { basis: 'RULE' } });
  });

  it('returns at most 100 tasks and reports how many are left out', () => {
    const tasks = decomposeByRules(Array.from({ length: 300 }, (_, k) => `${k % 100}. Write part ${k}`).join('\n'));
    expect(tasks).toHaveLength(99);
    expect(tasks.at(-1)!.title).toBe('Do the other 202 steps of the text');
  });

  it('returns the same acyclic graph, with hours and criteria, for any text', () => {
    const word = fc.constantFrom(
      ...'then before after testing build the a it them - 1. \n while and , ; finally first . () must not deploy x'.split(
        ' ',
      ),
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 60 }).map((words) => words.join(' ')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (each) => {
        const tasks = decomposeByRules(each);
        expect(inOrder(tasks)).toEqual(tasks);
        expect(tasks.length).toBeGreaterThan(0);
        for (const { estimate, doneWhen } of tasks) {
          expect(estimate.hours).toBeGreaterThan(0);
          expect(doneWhen).not.toBe('');
        }
        expect(decomposeByRules(each)).toEqual(tasks);
      }),
      { numRuns: 50 },
    );
  });
});
