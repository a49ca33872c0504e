// AgentService: questions over documents, goals and tasks.
import type { Agents } from '../agents/agents.ts';
import type { Retriever } from '../agents/retriever.ts';
import type { Asker } from '../agents/types.ts';
import type { CallerAccount } from '../auth/caller-account.ts';
import {
  AgentServiceService,
  type AnalyzeGoalRequest,
  type AnalyzeGoalResponse,
  type DecomposeTaskRequest,
  type DecomposeTaskResponse,
  type IndexCorpusRequest,
  type IndexCorpusResponse,
  type QueryRequest,
  type QueryResponse,
} from '../generated/tandem/v1/agents.ts';
import type { Method } from '../grpc/method.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { checkTopK, checkWords, toResultFields, toTaskMessage } from './agent-messages.ts';
import { decoding } from './decoding.ts';
import type { Indexing } from './index-corpus.ts';
import { methodsOf } from './methods.ts';
import { checkGoal, checkIndexCorpus, checkQuery, checkTask } from './request-limits.ts';
import { beginTrace } from './traced.ts';
import { type UnaryContext, type UnaryOptions, unary } from './unary.ts';

const agentService = decoding(AgentServiceService, {
  query: checkQuery,
  indexCorpus: checkIndexCorpus,
  analyzeGoal: checkGoal,
  decomposeTask: checkTask,
});

export interface AgentParts {
  readonly agents: Agents;
  readonly retriever: Retriever;
  readonly indexing: Pick<Indexing, 'begin'>;
}

interface AgentOptions extends UnaryOptions {
  readonly tracing: Tracing;
}

const MAX_QUERY_CHARS = 8_192;
const MAX_TEXT_CHARS = 32_768;

export function agentMethods({ agents, retriever, indexing }: AgentParts, options: AgentOptions): Method[] {
  const { tracing } = options;
  /** Runs a call with a trace that names the rpc and the caller. */
  const handler = <Request, Response>(
    method: string,
    handle: (request: Request, asker: Asker, context: UnaryContext) => Promise<Response>,
  ): ReturnType<typeof unary<Request, Response>> =>
    unary<Request, Response>(
      options,
      (request, context) => {
        context.span = context.trace && tracing.spanOf(context.trace);
        return handle(request, { caller: (context.owner as CallerAccount | undefined)?.name ?? '', context }, context);
      },
      (call, startedMs) => beginTrace(tracing, `AgentService/${method}`, call.metadata, startedMs, call.owner),
    );
  return methodsOf(agentService, {
    query: handler<QueryRequest, QueryResponse>('Query', async (request, asker, { startedMs }) => {
      checkWords('query', request.query, MAX_QUERY_CHARS);
      const topK = checkTopK(request.topK);
      const { query, corpus, label } = request;
      const passages = await retriever.search({ query, corpus, topK, label }, asker.context);
      const { value, ...result } = await agents.answerQuery(request.query, passages, asker);
      return {
        passages: [...passages],
        answer: value.answer,
        citations: [...value.citations],
        ...toResultFields(result, startedMs),
      };
    }),
    indexCorpus: unary<IndexCorpusRequest, IndexCorpusResponse>(options, async ({ corpus }, { startedMs }) => ({
      ...(await indexing.begin(corpus)),
      processingTimeMs: performance.now() - startedMs,
    })),
    analyzeGoal: handler<AnalyzeGoalRequest, AnalyzeGoalResponse>('AnalyzeGoal', async ({ goal }, asker, context) => {
      checkWords('goal', goal, MAX_TEXT_CHARS);
      const { value, ...result } = await agents.analyzeGoal(goal, asker);
      return {
        goal: value.goal,
        constraints: [...value.constraints],
        successCriteria: [...value.successCriteria],
        openQuestions: [...value.openQuestions],
        ...toResultFields(result, context.startedMs),
      };
    }),
    decomposeTask: handler<DecomposeTaskRequest, DecomposeTaskResponse>(
      'DecomposeTask',
      async ({ task }, asker, context) => {
        checkWords('task', task, MAX_TEXT_CHARS);
        const { value, ...result } = await agents.decomposeTask(task, asker);
        return { tasks: value.map(toTaskMessage), ...toResultFields(result, context.startedMs) };
      },
    ),
  });
}
