// Metric families of agents.
import type { AgentSnapshot } from './agent-counts.ts';
import type { Family, Sample } from './family.ts';

export function agentFamilies({ methods, callers }: AgentSnapshot): Family[] {
  const counter = (name: string, help: string, samples: readonly Sample[]): Family => {
    return { name, help, type: 'counter', samples };
  };
  return [
    counter(
      'tandem_agent_answers_total',
      'Answers of AgentService by rpc and source: the language model (provider), or rules (fallback).',
      methods.flatMap(({ method, answered, fallbacks }) => [
        { labels: { method, source: 'provider' }, value: answered },
        { labels: { method, source: 'fallback' }, value: sum(Object.values(fallbacks)) },
      ]),
    ),
    counter(
      'tandem_agent_fallbacks_total',
      'Answers of AgentService without the language model, by rpc and reason.',
      methods.flatMap(({ method, fallbacks }) =>
        Object.entries(fallbacks).map(([reason, value]) => ({ labels: { method, reason }, value })),
      ),
    ),
    counter(
      'tandem_agent_provider_requests_total',
      'Requests to the language model, including failed ones and retries, by caller.',
      callers.map(({ caller, requests }) => ({ labels: { caller }, value: requests })),
    ),
    counter(
      'tandem_agent_tokens_total',
      'Tokens of the language model, by caller; the maximum if it did not report them.',
      callers.flatMap(({ caller, promptTokens, completionTokens }) => [
        { labels: { caller, kind: 'prompt' }, value: promptTokens },
        { labels: { caller, kind: 'completion' }, value: completionTokens },
      ]),
    ),
    counter(
      'tandem_agent_cost_usd_total',
      'US dollars that these tokens cost, by caller.',
      callers.map(({ caller, usd }) => ({ labels: { caller }, value: usd })),
    ),
  ];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
