import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AgentsUnderTest, agentsOver } from '../../test/fakes/agent-parts.ts';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { decodeSpans } from '../../test/support/decode-spans.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import type { Search } from '../agents/retriever.ts';
import type { Passage } from '../agents/types.ts';
import { NO_LIMITS } from '../auth/caller-account.ts';
import { CallerAccounts } from '../auth/caller-accounts.ts';
import type { Span } from '../core/span.ts';
import {
  AgentServiceService,
  FallbackReason,
  QueryRequest,
  type QueryResponse,
  Source,
} from '../generated/tandem/v1/agents.ts';
import type { CallOwner, Method } from '../grpc/method.ts';
import { Tracing } from '../telemetry/tracing.ts';
import { agentMethods } from './agents.ts';

const { query, indexCorpus, analyzeGoal, decomposeTask } = AgentServiceService;
const ann = new CallerAccounts(NO_LIMITS).of('ann', '') as CallOwner;
const PASSAGE: Passage = { document: 'zoo.md', text: 'Cats purr when they are content.', score: 0.5, label: 'animals' };

const USAGE = { promptTokens: 100, completionTokens: 20 };

let searches: Search[];
let spans: Span[];
let passages: readonly Passage[];
/** The answer of the language model. */
let reply: string;
let methods: Method[];
let under: AgentsUnderTest;

beforeEach(() => {
  searches = [];
  spans = [];
  passages = [PASSAGE];
  reply = '';
  const complete = async () => ({ content: reply, usage: USAGE });
  under = agentsOver({ model: 'fake-model', maxCompletionTokens: 256, complete });
  const tracing = new Tracing({
    ...{ enabled: true, sampler: { isParentBased: true, ratio: 1 }, slowMs: 0, withLayers: false },
    source: { service: 'test', instance: 'here' },
    onKept: (kept) => spans.push(...decodeSpans(kept)),
  });
  const retriever = { search: async (search: Search) => (searches.push(search), passages) };
  const indexing = { begin: async (corpus: string) => ({ operationId: `index of ${corpus}`, corpus }) };
  methods = agentMethods({ agents: under.agents, retriever, indexing }, { ...unaryOptions(), tracing });
});

afterEach(() => under.stop());

const ask = (over: Partial<QueryRequest> = {}): Promise<QueryResponse> =>
  callMethod(methods, query, QueryRequest.fromPartial({ query: 'When do cats purr?', ...over }), { owner: ann });

describe('Query', () => {
  it('returns the passages, and the answer of the language model with its citations', async () => {
    const citation = { passage: 0, quote: 'when they are content' };
    reply = JSON.stringify({ answer: 'When content.', citations: [citation] });
    expect(await ask()).toMatchObject({
      ...{ passages: [PASSAGE], answer: 'When content.', source: Source.SOURCE_PROVIDER },
      citations: [{ ...citation, document: 'zoo.md' }],
      cost: { model: 'fake-model', calls: 1, promptTokens: 100n, completionTokens: 20n },
    });
  });

  it('returns an answer by rules if the language model gives none', async () => {
    expect(await ask()).toMatchObject({
      ...{ source: Source.SOURCE_FALLBACK, fallbackReason: FallbackReason.FALLBACK_REASON_MALFORMED },
      citations: [{ passage: 0, document: 'zoo.md' }],
    });
  });

  it('searches for what the caller asks for', async () => {
    await ask({ corpus: 'zoo', topK: 7, label: 'animals' });
    await ask();
    expect(searches).toEqual([
      { query: 'When do cats purr?', corpus: 'zoo', topK: 7, label: 'animals' },
      { query: 'When do cats purr?', corpus: '', topK: 5, label: '' },
    ]);
  });

  it('counts the cost for the caller', async () => {
    await ask();
    expect(under.counts.snapshot().callers.map(({ caller, requests }) => [caller, requests])).toEqual([['ann', 1]]);
  });

  it('is traced under its name, with its caller and the source of its answer', async () => {
    await ask();
    expect(spans[0]).toMatchObject({
      name: 'tandem.v1.AgentService/Query',
      attributes: { 'tandem.caller': 'ann', 'tandem.agent.source': 'MALFORMED' },
    });
  });

  it('refuses more passages than the limit', async () => {
    expect((await refusalOf(ask({ topK: 101 }))).field).toBe('top_k');
    expect(searches).toEqual([]);
  });
});

describe('IndexCorpus', () => {
  it('returns its operation', async () => {
    const { operationId, corpus } = await callMethod(methods, indexCorpus, { corpus: 'zoo' });
    expect([operationId, corpus]).toEqual(['index of zoo', 'zoo']);
  });
});

describe('AnalyzeGoal', () => {
  it('returns the parts of the goal', async () => {
    const parts = { goal: 'g', constraints: ['c'], successCriteria: ['s'], openQuestions: ['o'] };
    const { goal, constraints, successCriteria: success_criteria, openQuestions: open_questions } = parts;
    reply = JSON.stringify({ goal, constraints, success_criteria, open_questions });
    const response = await callMethod(methods, analyzeGoal, { goal: 'Build a shop.' });
    expect(response).toMatchObject({ ...parts, source: Source.SOURCE_PROVIDER });
    expect(spans[0]!.name).toBe('tandem.v1.AgentService/AnalyzeGoal');
  });
});

describe('DecomposeTask', () => {
  it('returns tasks in an order in which they can be done', async () => {
    const task = 'First build the shop, then test it.';
    const { tasks, source } = await callMethod(methods, decomposeTask, { task });
    expect(tasks.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([
      [tasks[0]!.id, []],
      [tasks[1]!.id, [tasks[0]!.id]],
    ]);
    expect(source).toBe(Source.SOURCE_FALLBACK);
    expect(spans[0]!.name).toBe('tandem.v1.AgentService/DecomposeTask');
  });
});

describe('a text', () => {
  const text = (length: number): string => 'x'.repeat(length);

  it.each([
    ['query', 8_192, (length: number) => ask({ query: text(length) })],
    ['goal', 32_768, (length: number) => callMethod(methods, analyzeGoal, { goal: text(length) })],
    ['task', 32_768, (length: number) => callMethod(methods, decomposeTask, { task: text(length) })],
  ])('of field %s has 1 to %d characters', async (field, most, call) => {
    await call(most);
    expect((await refusalOf(call(most + 1))).field).toBe(field);
    expect((await refusalOf(call(0))).field).toBe(field);
  });
});
