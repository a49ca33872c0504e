// Results of agents. Each field is explained in proto/tandem/v1/agents.proto.
import type { FallbackReasonName } from '../core/agent-observer.ts';
import type { CallContext } from '../core/inference.ts';

export interface Fallback {
  readonly reason: FallbackReasonName;
  /** In words. */
  readonly detail: string;
}

export interface ProviderCost {
  /** Empty: there is no provider. */
  readonly model: string;
  readonly calls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly usd: number;
  readonly isUpperBound: boolean;
}

export interface AgentResult<T> {
  readonly value: T;
  /** Undefined: the value comes from the language model. */
  readonly fallback: Fallback | undefined;
  readonly cost: ProviderCost;
}

/** The caller and its deadline. */
export interface Asker {
  /** Name of the caller, for budgets and counts. */
  readonly caller: string;
  readonly context: CallContext;
}

export interface GoalAnalysis {
  readonly goal: string;
  readonly constraints: readonly string[];
  readonly successCriteria: readonly string[];
  readonly openQuestions: readonly string[];
}

export type EstimateBasis = 'STATED' | 'PROVIDER' | 'RULE';

export interface Estimate {
  readonly hours: number;
  readonly basis: EstimateBasis;
}

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly dependsOn: readonly string[];
  readonly doneWhen: string;
  readonly estimate: Estimate;
}

export interface Passage {
  readonly document: string;
  readonly text: string;
  readonly score: number;
  /** The text model's; empty: it has none. */
  readonly label: string;
}

interface Citation {
  /** Index in the passages. */
  readonly passage: number;
  readonly document: string;
  readonly quote: string;
}

export interface CitedAnswer {
  /** Empty: the passages do not answer the query. */
  readonly answer: string;
  readonly citations: readonly Citation[];
}
