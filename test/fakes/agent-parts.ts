// Agents with a provider at an address, and their counts.
import { Agents } from '../../services/agents/agents.ts';
import { Budget, type BudgetLimits } from '../../services/agents/provider/budget.ts';
import { type GuardOptions, GuardedProvider } from '../../services/agents/provider/guarded-provider.ts';
import { OpenAiProvider } from '../../services/agents/provider/openai-provider.ts';
import type { Provider } from '../../services/agents/provider/provider.ts';
import type { Asker, Passage } from '../../services/agents/types.ts';
import { Cancel } from '../../services/core/cancel.ts';
import { Breaker, type BreakerOptions } from '../../services/engines/breaker.ts';
import { AgentCounts } from '../../services/telemetry/agent-counts.ts';

export const LIMITS: BudgetLimits = {
  ...{ windowMs: 3_600_000, tokens: 1e6, usd: 1_000 },
  ...{ callerTokens: 1e6, callerUsd: 1_000 },
};

const PRICES = { promptUsdPerMillion: 2, completionUsdPerMillion: 8 };
const BREAKER: BreakerOptions = { failurePercent: 50, minRequests: 1_000, windowMs: 60_000, resetMs: 60_000 };
const GUARD: GuardOptions = { timeoutMs: 10_000, maxRetries: 0, maxInFlight: 10_000 };

export interface AgentsUnderTest {
  readonly agents: Agents;
  readonly guarded: GuardedProvider;
  readonly budget: Budget;
  readonly counts: AgentCounts;
  stop(): void;
}

export interface AgentsOver {
  readonly limits?: Partial<BudgetLimits>;
  readonly guard?: Partial<GuardOptions>;
  readonly breaker?: Partial<BreakerOptions>;
}

export function agentsOver(provider: Provider, over: AgentsOver = {}): AgentsUnderTest {
  const counts = new AgentCounts();
  const breaker = new Breaker({ ...BREAKER, ...over.breaker });
  const budget = new Budget({ ...LIMITS, ...over.limits }, PRICES);
  const guarded = new GuardedProvider({ provider, breaker, budget, observer: counts }, { ...GUARD, ...over.guard });
  return {
    ...{ guarded, budget, counts },
    agents: new Agents({ provider: guarded, observer: counts }),
    stop: () => breaker.stop(),
  };
}

export function providerAt(baseUrl: string, over: { readonly apiKey?: string } = {}): OpenAiProvider {
  return new OpenAiProvider({ baseUrl, model: 'fake-model', apiKey: '', maxCompletionTokens: 256, ...over });
}

export function asker(caller = 'ann', timeoutMs = Infinity): Asker & { readonly cancel: Cancel } {
  const cancel = new Cancel();
  return { caller, context: { deadlineMs: performance.now() + timeoutMs, signal: cancel }, cancel };
}

export function passage(text: string, document = 'doc.md'): Passage {
  return { document, text, score: 1, label: '' };
}
