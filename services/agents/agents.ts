// Goals, tasks and questions: a language model answers if one is available; otherwise rules do.
import type { AgentMethod, AgentObserver } from '../core/agent-observer.ts';
import { extractAnswer } from './answer/extract.ts';
import { answerRequest, readAnswer } from './answer/provider-answer.ts';
import { analyzeByRules } from './goal/rules.ts';
import { goalRequest, readGoal } from './goal/provider-goal.ts';
import { CostTally } from './provider/cost-tally.ts';
import type { GuardedProvider } from './provider/guarded-provider.ts';
import { ProviderFailure, type ProviderRequest } from './provider/provider.ts';
import { readTasks, taskRequest } from './tasks/provider-tasks.ts';
import { decomposeByRules } from './tasks/rules.ts';
import type { AgentResult, Asker, CitedAnswer, Fallback, GoalAnalysis, Passage, Task } from './types.ts';

interface Question<T> {
  readonly method: AgentMethod;
  readonly request: () => ProviderRequest;
  /** Throws ProviderFailure if the reply cannot be used. */
  readonly read: (content: string) => T;
  /** The answer without a provider. Never throws. The same text always gives the same answer. */
  readonly byRules: () => T;
}

interface AgentParts {
  /** Undefined: none is set. */
  readonly provider: GuardedProvider | undefined;
  readonly observer: AgentObserver;
}

const NO_PROVIDER: Fallback = { reason: 'NO_PROVIDER', detail: 'setting agents.provider.base_url is empty' };
const NO_PASSAGE: Fallback = { reason: 'NO_PASSAGE', detail: 'no passage of the corpus fits the query' };

/** A method throws only if the caller is gone: CANCELLED or DEADLINE_EXCEEDED. */
export class Agents {
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  analyzeGoal(text: string, asker: Asker): Promise<AgentResult<GoalAnalysis>> {
    const question: Question<GoalAnalysis> = {
      method: 'AnalyzeGoal',
      request: () => goalRequest(text),
      read: readGoal,
      byRules: () => analyzeByRules(text),
    };
    return this.#answer(question, asker);
  }

  /** A task comes after all that it depends on. */
  decomposeTask(text: string, asker: Asker): Promise<AgentResult<readonly Task[]>> {
    const question: Question<readonly Task[]> = {
      method: 'DecomposeTask',
      request: () => taskRequest(text),
      read: readTasks,
      byRules: () => decomposeByRules(text),
    };
    return this.#answer(question, asker);
  }

  /** `passages`: best first. Each citation of the answer names one of them and quotes words from it. */
  answerQuery(query: string, passages: readonly Passage[], asker: Asker): Promise<AgentResult<CitedAnswer>> {
    const question: Question<CitedAnswer> = {
      method: 'Query',
      request: () => answerRequest(query, passages),
      read: (content) => readAnswer(content, passages),
      byRules: () => extractAnswer(query, passages),
    };
    return this.#answer(question, asker, passages.length === 0 ? NO_PASSAGE : undefined);
  }

  /** `without`: why the provider is not asked. */
  async #answer<T>(question: Question<T>, asker: Asker, without?: Fallback): Promise<AgentResult<T>> {
    const { provider, observer } = this.#parts;
    const tally = new CostTally(provider?.model ?? '');
    const { method, byRules } = question;
    let fallback = without ?? (provider === undefined ? NO_PROVIDER : undefined);
    let value: T | undefined;
    if (provider !== undefined && fallback === undefined) {
      try {
        value = question.read(await provider.ask(question.request(), asker, tally));
      } catch (thrown) {
        if (!(thrown instanceof ProviderFailure)) throw thrown;
        fallback = { reason: thrown.reason, detail: thrown.message };
      }
    }
    observer.agentAnswered(method, fallback?.reason);
    asker.context.span?.set('tandem.agent.source', fallback?.reason ?? 'PROVIDER');
    return { value: value ?? byRules(), fallback, cost: tally.cost };
  }
}
