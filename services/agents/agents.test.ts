// Answers with a provider that fails in every possible way, over real HTTP.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type AgentsUnderTest, agentsOver, asker, passage, providerAt } from '../../test/fakes/agent-parts.ts';
import {
  type Behaviour,
  type FakeProvider,
  fails,
  malformed,
  says,
  silent,
  startFakeProvider,
} from '../../test/fakes/fake-provider.ts';
import type { FallbackReasonName } from '../core/agent-observer.ts';
import { Agents } from './agents.ts';

const GOAL = 'Build a shop by March 1 without using PHP.';
const TASK = 'First build the shop, then test it.';
const PASSAGES = [
  passage('The bakery opens at six in the morning. It is closed on Monday.', 'hours.md'),
  passage('Bread costs two euros.', 'prices.md'),
];
const QUESTION = 'When does the bakery open?';
const DEADLINE_MS = 5_000;

let fake: FakeProvider;
let under: AgentsUnderTest;

beforeAll(async () => {
  fake = await startFakeProvider(silent);
});

afterEach(() => under.stop());
afterAll(() => fake.stop());

function start(behaviour: Behaviour, baseUrl = fake.baseUrl): AgentsUnderTest {
  fake.behave(behaviour);
  under = agentsOver(providerAt(baseUrl), { guard: { timeoutMs: behaviour === silent ? 50 : 10_000 } });
  return under;
}

const GOOD_ANSWER = {
  answer: 'It opens at six.',
  citations: [{ passage: 0, quote: 'opens at six in the morning' }],
};
const INVENTED = { answer: 'It opens at nine.', citations: [{ passage: 0, quote: 'opens at nine in the morning' }] };
const NO_SUCH_PASSAGE = { answer: 'It opens at six.', citations: [{ passage: 7, quote: 'opens at six' }] };

/** Each fault and the fallback reason of all three calls. A false citation is a fault only for a query. */
const FAULTS: readonly [name: string, Behaviour, FallbackReasonName][] = [
  ['is slow', silent, 'TIMEOUT'],
  ['answers with status 500', fails(500), 'PROVIDER_ERROR'],
  ['answers with malformed JSON', malformed, 'MALFORMED'],
  ['answers with text that is not JSON', says('Sure! Here is the answer:'), 'MALFORMED'],
  ['breaks the schema', says({ goal: 7, tasks: 'none', answer: [] }), 'SCHEMA'],
];

describe.each(FAULTS)('a provider that %s', (_what, behaviour, reason) => {
  it('does not prevent the analysis of a goal', async () => {
    const { agents, counts } = start(behaviour);
    const { value, fallback, cost } = await agents.analyzeGoal(GOAL, asker('ann', DEADLINE_MS));
    expect(fallback?.reason).toBe(reason);
    expect(value).toMatchObject({ goal: 'Build a shop', constraints: ['By March 1', 'Without using PHP'] });
    expect(cost.calls).toBe(1);
    expect(counts.snapshot().methods).toEqual([{ method: 'AnalyzeGoal', answered: 0, fallbacks: { [reason]: 1 } }]);
  });

  it('does not prevent the decomposition of a task', async () => {
    const { value, fallback } = await start(behaviour).agents.decomposeTask(TASK, asker('ann', DEADLINE_MS));
    expect(fallback?.reason).toBe(reason);
    expect(value.map(({ title, dependsOn }) => [title, dependsOn])).toEqual([
      ['Build the shop', []],
      ['Test it', ['t1']],
    ]);
  });

  it('does not prevent an answer to a query, with citations', async () => {
    const { value, fallback } = await start(behaviour).agents.answerQuery(
      QUESTION,
      PASSAGES,
      asker('ann', DEADLINE_MS),
    );
    expect(fallback?.reason).toBe(reason);
    expect(value).toEqual({
      answer: 'The bakery opens at six in the morning.',
      citations: [{ passage: 0, document: 'hours.md', quote: 'The bakery opens at six in the morning.' }],
    });
  });
});

describe('Agents', () => {
  it('answers by rules if the provider refuses the connection', async () => {
    const gone = await startFakeProvider(silent);
    await gone.stop();
    const { value, fallback } = await start(silent, gone.baseUrl).agents.analyzeGoal(GOAL, asker());
    expect([fallback?.reason, value.goal]).toEqual(['UNREACHABLE', 'Build a shop']);
  });

  it.each([
    ['words that are not in the passage', INVENTED],
    ['a passage that does not exist', NO_SUCH_PASSAGE],
    ['nothing', { answer: 'It opens at six.', citations: [] }],
  ])('answers from the passages if the provider cites %s', async (_what, answer) => {
    const { agents, counts } = start(says(answer));
    const { value, fallback } = await agents.answerQuery(QUESTION, PASSAGES, asker());
    expect(fallback?.reason).toBe('CITATION');
    expect(value.answer).toBe('The bakery opens at six in the morning.');
    expect(counts.snapshot().methods).toEqual([{ method: 'Query', answered: 0, fallbacks: { CITATION: 1 } }]);
  });

  it('returns the answer of the provider if its citations are correct', async () => {
    const { value, fallback, cost } = await start(says(GOOD_ANSWER)).agents.answerQuery(QUESTION, PASSAGES, asker());
    expect(fallback).toBeUndefined();
    expect(value).toEqual({
      answer: 'It opens at six.',
      citations: [{ passage: 0, document: 'hours.md', quote: 'opens at six in the morning' }],
    });
    expect(cost).toMatchObject({ model: 'fake-model', calls: 1, promptTokens: 100, completionTokens: 20 });
  });

  it('returns the tasks of the provider, each after its dependencies', async () => {
    const task = (id: string, ...on: string[]) => ({
      ...{ id, title: `do ${id}`, depends_on: on, done_when: 'it is done', estimate_hours: 2 },
    });
    const { agents } = start(says({ tasks: [task('b', 'a'), task('a')] }));
    const { value, fallback } = await agents.decomposeTask(TASK, asker());
    expect(fallback).toBeUndefined();
    expect(value.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(value[0]!.estimate).toEqual({ hours: 2, basis: 'PROVIDER' });
  });

  it('refuses the tasks of the provider if they depend on each other', async () => {
    const task = (id: string, on: string) => ({
      ...{ id, title: id, depends_on: [on], done_when: 'done', estimate_hours: 1 },
    });
    const { agents } = start(says({ tasks: [task('a', 'b'), task('b', 'a')] }));
    expect((await agents.decomposeTask(TASK, asker())).fallback).toEqual({
      reason: 'SCHEMA',
      detail: 'the answer is no graph of tasks: the tasks "a", "b" wait for each other',
    });
  });

  it('does not call the provider without passages', async () => {
    const before = fake.requests.length;
    const { value, fallback } = await start(says(GOOD_ANSWER)).agents.answerQuery(QUESTION, [], asker());
    expect([value.answer, fallback?.reason, fake.requests.length - before]).toEqual(['', 'NO_PASSAGE', 0]);
  });

  it('answers by rules without a provider and returns the reason', async () => {
    const { counts } = start(silent);
    const agents = new Agents({ provider: undefined, observer: counts });
    const { value, fallback, cost } = await agents.analyzeGoal(GOAL, asker());
    expect([value.goal, fallback?.reason, cost.calls, cost.model]).toEqual(['Build a shop', 'NO_PROVIDER', 0, '']);
  });
});
