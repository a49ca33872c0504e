// Builds the agents with the language model of the settings.
import { Agents } from '../agents/agents.ts';
import { Budget, type BudgetLimits } from '../agents/provider/budget.ts';
import { GuardedProvider } from '../agents/provider/guarded-provider.ts';
import { OpenAiProvider } from '../agents/provider/openai-provider.ts';
import { readSecret } from '../config/agent-settings.ts';
import { ConfigError } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import type { AgentObserver } from '../core/agent-observer.ts';
import { Breaker } from '../engines/breaker.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';
import { breakerOptions, budgetLimits } from './options.ts';

export interface AgentsInUse {
  readonly agents: Agents;
  configure(limits: BudgetLimits): void;
  stop(): void;
}

/** Throws ConfigError if the key is missing. */
export function makeAgents(settings: Settings, observer: AgentObserver, system: SystemEvents): AgentsInUse {
  const { provider: set } = settings.agents;
  if (set.base_url === '') {
    return {
      agents: new Agents({ provider: undefined, observer }),
      configure: () => undefined,
      stop: () => undefined,
    };
  }
  const apiKey = readSecret(set.api_key_env);
  if (set.api_key_env !== '' && apiKey === '') {
    const what = `setting "agents.provider.api_key_env" is "${set.api_key_env}"`;
    throw new ConfigError(`${what}; that variable is not set: put the API key in it, or leave the setting empty`);
  }
  const breaker = new Breaker(breakerOptions(settings), ({ state, why }) => {
    const severity = state === 'CLOSED' ? 'INFO' : 'WARNING';
    system.tell('breaker', severity, 'breaker of the agents’ provider changed', { state, why });
  });
  const budget = new Budget(budgetLimits(settings), {
    promptUsdPerMillion: set.prompt_usd_per_million,
    completionUsdPerMillion: set.completion_usd_per_million,
  });
  const { base_url: baseUrl, model, max_completion_tokens: maxCompletionTokens } = set;
  const provider = new OpenAiProvider({ baseUrl, model, apiKey, maxCompletionTokens });
  const guarded = new GuardedProvider(
    { provider, breaker, budget, observer },
    { timeoutMs: set.timeout_ms, maxRetries: set.max_retries, maxInFlight: set.max_in_flight },
  );
  return {
    agents: new Agents({ provider: guarded, observer }),
    configure: (limits) => budget.configure(limits),
    stop: () => breaker.stop(),
  };
}
