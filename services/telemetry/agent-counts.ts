// Metrics of agents: answers by source, and the cost of the language model by caller.
import type { AgentMethod, AgentObserver, FallbackReasonName, TokenUsage } from '../core/agent-observer.ts';

interface AgentMethodCounts {
  readonly method: string;
  /** Answers of the language model. */
  readonly answered: number;
  /** Answers without it, by reason. */
  readonly fallbacks: Readonly<Record<string, number>>;
}

interface AgentCallerCounts {
  readonly caller: string;
  /** Requests to the provider. */
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly usd: number;
}

export interface AgentSnapshot {
  /** Only methods that were called. */
  readonly methods: readonly AgentMethodCounts[];
  /** Callers that used the provider. */
  readonly callers: readonly AgentCallerCounts[];
}

/** Maximum callers with separate counts; all others share `other`. Callers are listed in the settings. */
export const MAX_CALLERS = 64;
const OTHER = 'other';

export class AgentCounts implements AgentObserver {
  readonly #methods = new Map<string, { answered: number; fallbacks: Map<string, number> }>();
  readonly #callers = new Map<
    string,
    { requests: number; promptTokens: number; completionTokens: number; usd: number }
  >();

  agentAnswered(method: AgentMethod, fallback: FallbackReasonName | undefined): void {
    const counts = this.#methods.get(method) ?? { answered: 0, fallbacks: new Map<string, number>() };
    this.#methods.set(method, counts);
    if (fallback === undefined) counts.answered += 1;
    else counts.fallbacks.set(fallback, (counts.fallbacks.get(fallback) ?? 0) + 1);
  }

  providerUsed(caller: string, { promptTokens, completionTokens }: TokenUsage, usd: number): void {
    const name = this.#callers.has(caller) || this.#callers.size < MAX_CALLERS ? caller : OTHER;
    const counts = this.#callers.get(name) ?? { requests: 0, promptTokens: 0, completionTokens: 0, usd: 0 };
    this.#callers.set(name, counts);
    counts.requests += 1;
    counts.promptTokens += promptTokens;
    counts.completionTokens += completionTokens;
    counts.usd += usd;
  }

  snapshot(): AgentSnapshot {
    return {
      methods: [...this.#methods]
        .map(([method, { answered, fallbacks }]) => ({ method, answered, fallbacks: Object.fromEntries(fallbacks) }))
        .sort((a, b) => (a.method < b.method ? -1 : 1)),
      callers: [...this.#callers]
        .map(([caller, counts]) => ({ caller, ...counts }))
        .sort((a, b) => (a.caller < b.caller ? -1 : 1)),
    };
  }

  /** Replaces the current counts. */
  restore({ methods, callers }: AgentSnapshot): void {
    for (const { method, answered, fallbacks } of methods) {
      this.#methods.set(method, { answered, fallbacks: new Map(Object.entries(fallbacks)) });
    }
    for (const { caller, ...counts } of callers) this.#callers.set(caller, counts);
  }
}
