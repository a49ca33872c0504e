// Counts what agents do. Implemented by telemetry/, called by agents/.

/** Why no language model answered: FallbackReason of proto/tandem/v1/agents.proto. */
export type FallbackReasonName =
  | 'NO_PROVIDER'
  | 'BUDGET'
  | 'UNREACHABLE'
  | 'TIMEOUT'
  | 'PROVIDER_ERROR'
  | 'BREAKER_OPEN'
  | 'MALFORMED'
  | 'SCHEMA'
  | 'CITATION'
  | 'DECLINED'
  | 'NO_PASSAGE'
  | 'BUSY';

export type AgentMethod = 'Query' | 'AnalyzeGoal' | 'DecomposeTask';

export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Methods must not throw. */
export interface AgentObserver {
  /** `fallback`: undefined if the language model answered. */
  agentAnswered(method: AgentMethod, fallback: FallbackReasonName | undefined): void;
  /** A request to the provider has ended. `caller`: see setting auth. */
  providerUsed(caller: string, usage: TokenUsage, usd: number): void;
}
