// AgentService and `npx tandem agents`, with a complete router, with and without a fake language model.
import { createHash } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FakeProvider, fails, says, silent, startFakeProvider } from '../fakes/fake-provider.ts';
import {
  AgentServiceClient,
  type AnalyzeGoalResponse,
  type DecomposeTaskResponse,
  FallbackReason,
  Source,
} from '../../services/generated/tandem/v1/agents.ts';
import { parseExposition, valueOf } from '../support/exposition.ts';
import { run } from '../support/process.ts';
import { readRefusal } from '../support/refusal.ts';
import { EDGES } from '../support/serve.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const GOAL = 'Build a shop by March 1 without using PHP.';
const ANALYSIS = { goal: 'A shop', constraints: ['No PHP'], success_criteria: ['It sells'], open_questions: [] };

function call<T>(
  address: string,
  method: 'AnalyzeGoal' | 'DecomposeTask' | 'Query',
  request: object,
  { token, timeoutMs = 10_000 }: { token?: string; timeoutMs?: number } = {},
): Promise<T> {
  const client = new AgentServiceClient(address, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const { requestSerialize, responseDeserialize } = SERVICE[method];
  return new Promise<T>((resolve, reject) => {
    client.makeUnaryRequest(
      `/tandem.v1.AgentService/${method}`,
      requestSerialize as (value: object) => Buffer,
      responseDeserialize as (bytes: Buffer) => T,
      request,
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error, response) => (error ? reject(error) : resolve(response!)),
    );
  }).finally(() => client.close());
}

const SERVICE = {
  AnalyzeGoal: AgentServiceClient.service.analyzeGoal,
  DecomposeTask: AgentServiceClient.service.decomposeTask,
  Query: AgentServiceClient.service.query,
};

describe('without a provider', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ spawn: { count: 0 } });
  });

  afterAll(() => system.stop());

  const tandem = (...args: string[]) => run('services/cli/main.ts', [...args, '--address', system.address]).finished;

  it('AnalyzeGoal answers by rules, and gives the reason', async () => {
    const response = await call<AnalyzeGoalResponse>(system.address, 'AnalyzeGoal', { goal: GOAL });
    expect(response).toMatchObject({
      goal: 'Build a shop',
      constraints: ['By March 1', 'Without using PHP'],
      source: Source.SOURCE_FALLBACK,
      fallbackReason: FallbackReason.FALLBACK_REASON_NO_PROVIDER,
      fallbackDetail: 'setting agents.provider.base_url is empty',
      cost: { calls: 0, model: '' },
    });
    expect(response.processingTimeMs).toBeGreaterThan(0);
  });

  it('DecomposeTask answers by rules', async () => {
    const task = 'First build the shop, then test it.';
    const { tasks } = await call<DecomposeTaskResponse>(system.address, 'DecomposeTask', { task });
    expect(tasks.map(({ id, title, dependsOn }) => [id, title, dependsOn])).toEqual([
      ['t1', 'Build the shop', []],
      ['t2', 'Test it', ['t1']],
    ]);
  });

  it.each([
    ['AnalyzeGoal', { goal: ' ' }, 'goal'],
    ['AnalyzeGoal', { goal: 'a'.repeat(32_769) }, 'goal'],
    ['DecomposeTask', { task: '' }, 'task'],
    ['Query', { query: '', corpus: '', topK: 0 }, 'query'],
    ['Query', { query: 'x', corpus: '', topK: 101 }, 'top_k'],
  ] as const)('%s refuses a bad field', async (method, request, field) => {
    const error = await call(system.address, method, request).catch((thrown: unknown) => thrown);
    expect(readRefusal(error as grpc.ServiceError)).toMatchObject({ reason: 'INVALID_FIELD', field });
  });

  it('tandem agents goal prints for people', async () => {
    expect((await tandem('agents', 'goal', GOAL)).stdout).toBe(
      [
        'Build a shop',
        '',
        'Constraints',
        '  - By March 1',
        '  - Without using PHP',
        '',
        'Success criteria',
        '  - Reached by March 1',
        '  - It can be shown to somebody else: Build a shop',
        '',
        'Open questions',
        '  - What may it cost, in money or hours of work?',
        '  - Who will use it?',
        '  - How will it be checked that it is reached?',
        '',
        'answered by rules, NO_PROVIDER: setting agents.provider.base_url is empty',
        '',
      ].join('\n'),
    );
  });

  it('tandem agents decompose prints for people', async () => {
    const tasks = await tandem('agents', 'decompose', 'Build the shop (2 hours), then test it.');
    expect(tasks.stdout).toMatch(
      /^t1 {2}Build the shop \(2 hours\) \(2 h\)\n {4}.+\nt2 {2}Test it \(about 4 h, after t1\)/,
    );
    expect(tasks.stdout).toMatch(/\n6 h of work; 6 h where what can be done at the same time is\n/);
  });

  it('tandem agents decompose --json prints for programs', async () => {
    const json = JSON.parse((await tandem('agents', 'decompose', 'build it', '--json')).stdout) as object;
    expect(json).toMatchObject({ source: 'SOURCE_FALLBACK', fallbackReason: 'FALLBACK_REASON_NO_PROVIDER' });
  });
});

describe.each(EDGES)('with a provider, on edge %s', (edge) => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  let fake: FakeProvider;
  let system: System;

  beforeAll(async () => {
    fake = await startFakeProvider(silent);
    system = await startSystem({
      ...{ edge, spawn: { count: 0 }, tracing: { ratio: 1 } },
      auth: {
        tokens: [
          { name: 'ann', sha256: sha256('token-ann'), roles: ['reason'] },
          { name: 'bob', sha256: sha256('token-bob'), roles: ['reason', 'observe'] },
        ],
      },
      agents: {
        provider: { base_url: fake.baseUrl, model: 'fake-model', prompt_usd_per_million: 1e4 },
        budget: { usd: 1e6, caller_usd: 1e6 },
      },
    });
  });

  afterAll(async () => {
    await system.stop();
    await fake.stop();
  });

  const analyze = (token: string, timeoutMs?: number): Promise<AnalyzeGoalResponse> =>
    call(system.address, 'AnalyzeGoal', { goal: GOAL }, { token, ...(timeoutMs && { timeoutMs }) });

  it('gives its answer, with its cost', async () => {
    fake.behave(says(ANALYSIS));
    expect(await analyze('token-ann')).toMatchObject({
      goal: 'A shop',
      source: Source.SOURCE_PROVIDER,
      fallbackReason: FallbackReason.FALLBACK_REASON_UNSPECIFIED,
      cost: { model: 'fake-model', calls: 1, promptTokens: 100n, completionTokens: 20n, usd: 1, isUpperBound: false },
    });
  });

  it('answers by rules if the provider does not answer within the caller’s deadline', async () => {
    fake.behave(silent);
    expect(await analyze('token-ann', 2_000)).toMatchObject({
      goal: 'Build a shop',
      fallbackReason: FallbackReason.FALLBACK_REASON_TIMEOUT,
      cost: { calls: 1, isUpperBound: true },
    });
  });

  it('counts answers, reasons, tokens and cost, by caller, in /metrics and in GetMetrics', async () => {
    fake.behave(says(ANALYSIS));
    await analyze('token-bob');
    fake.behave(fails(400));
    await analyze('token-bob');
    const series = parseExposition((await system.prometheus.exposition('')).body);
    const value = (name: string, labels: Record<string, string>): number => valueOf(series, name, labels);
    expect(value('tandem_agent_answers_total', { method: 'AnalyzeGoal', source: 'provider' })).toBe(2);
    expect(value('tandem_agent_answers_total', { method: 'AnalyzeGoal', source: 'fallback' })).toBe(2);
    expect(value('tandem_agent_fallbacks_total', { method: 'AnalyzeGoal', reason: 'PROVIDER_ERROR' })).toBe(1);
    expect(value('tandem_agent_provider_requests_total', { caller: 'bob' })).toBe(2);
    expect(value('tandem_agent_tokens_total', { caller: 'bob', kind: 'prompt' })).toBe(100);
    expect(value('tandem_agent_cost_usd_total', { caller: 'bob' })).toBe(1);
    const { stdout } = await run('services/cli/main.ts', [
      ...['metrics', '--address', system.address, '--token', 'token-bob'],
    ]).finished;
    expect(stdout).toMatch(/AnalyzeGoal +2 +2 +(TIMEOUT 1, PROVIDER_ERROR 1|PROVIDER_ERROR 1, TIMEOUT 1)/);
    expect(stdout).toMatch(/\nbob +2 +100 +20 +1\.0000/);
  });

  it('has a span for the provider in the trace of the call', async () => {
    fake.behave(fails(400));
    await analyze('token-ann');
    const trace = await until(
      () => system.traces.recent(10).find(({ name }) => name === 'tandem.v1.AgentService/AnalyzeGoal'),
      { what: 'a trace of the call' },
    );
    const spans = system.traces.spans(trace!.traceId);
    expect(spans.map(({ name }) => name)).toEqual(['tandem.v1.AgentService/AnalyzeGoal', 'provider']);
    expect(spans[1]).toMatchObject({ error: 'PROVIDER_ERROR', attributes: { 'gen_ai.request.model': 'fake-model' } });
  });

  it('Query says that there is no such corpus', async () => {
    const request = { query: 'x', corpus: 'none', topK: 1 };
    const error = await call(system.address, 'Query', request, { token: 'token-ann' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(readRefusal(error as grpc.ServiceError)).toMatchObject({ code: 'NOT_FOUND', reason: 'UNKNOWN_CORPUS' });
  });
});

it('prevents the start if the key’s variable is not set, and names both', async () => {
  const agents = { provider: { base_url: 'http://127.0.0.1:9/v1', model: 'm', api_key_env: 'NO_SUCH_KEY' } };
  await expect(startSystem({ spawn: { count: 0 }, agents })).rejects.toThrow(
    /"agents.provider.api_key_env" is "NO_SUCH_KEY"; that variable is not set/,
  );
});
