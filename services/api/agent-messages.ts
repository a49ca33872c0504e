// Checks requests of AgentService, and converts results of agents to messages.
import type { AgentResult, EstimateBasis as BasisName, Task } from '../agents/types.ts';
import { RouterError } from '../core/errors.ts';
import {
  EstimateBasis,
  FallbackReason,
  type ProviderCost,
  Source,
  type Task as TaskMessage,
} from '../generated/tandem/v1/agents.ts';

const DEFAULT_TOP_K = 5;
const MAX_TOP_K = 100;

/** Throws INVALID_FIELD. */
export function checkWords(field: string, text: string, maxChars: number): void {
  if (text.trim() === '') throw new RouterError('INVALID_FIELD', `${field} is blank; send text`, { field });
  if (text.length <= maxChars) return;
  const message = `${field} has ${text.length} characters; send at most ${maxChars}`;
  throw new RouterError('INVALID_FIELD', message, { field });
}

/** Throws INVALID_FIELD. */
export function checkTopK(topK: number): number {
  if (topK <= MAX_TOP_K) return topK || DEFAULT_TOP_K;
  throw new RouterError('INVALID_FIELD', `top_k is ${topK}; send 1 to ${MAX_TOP_K}`, { field: 'top_k' });
}

interface ResultFields {
  readonly source: Source;
  readonly fallbackReason: FallbackReason;
  readonly fallbackDetail: string;
  readonly cost: ProviderCost;
  readonly processingTimeMs: number;
}

export function toResultFields({ fallback, cost }: Omit<AgentResult<never>, 'value'>, startedMs: number): ResultFields {
  return {
    source: fallback === undefined ? Source.SOURCE_PROVIDER : Source.SOURCE_FALLBACK,
    fallbackReason: FallbackReason[`FALLBACK_REASON_${fallback?.reason ?? 'UNSPECIFIED'}`],
    fallbackDetail: fallback?.detail ?? '',
    cost: {
      ...cost,
      promptTokens: BigInt(cost.promptTokens),
      completionTokens: BigInt(cost.completionTokens),
    },
    processingTimeMs: performance.now() - startedMs,
  };
}

export function toTaskMessage({ dependsOn, estimate, ...task }: Task): TaskMessage {
  return {
    ...task,
    dependsOn: [...dependsOn],
    estimate: { hours: estimate.hours, basis: EstimateBasis[`ESTIMATE_BASIS_${estimate.basis satisfies BasisName}`] },
  };
}
