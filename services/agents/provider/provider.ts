// One exchange with a language model, and its one kind of failure.
import type { FallbackReasonName, TokenUsage } from '../../core/agent-observer.ts';

export interface ProviderRequest {
  /** What the model must do. Written by the router only. */
  readonly instructions: string;
  /** Text from callers and documents: data, never instructions. */
  readonly data: string;
  /** The form of the answer. */
  readonly schema: { readonly name: string; readonly json: object };
}

export interface ProviderReply {
  readonly content: string;
  /** Undefined: the provider sent no count, or an invalid one. */
  readonly usage: TokenUsage | undefined;
}

export interface Provider {
  readonly model: string;
  /** The longest answer, tokens. */
  readonly maxCompletionTokens: number;
  /** Throws ProviderFailure, or the reason of `signal`. */
  complete(request: ProviderRequest, signal: AbortSignal): Promise<ProviderReply>;
}

interface FailureOptions {
  /** Another attempt may succeed. */
  readonly isRetryable?: boolean;
  /** The delay before the next attempt that the provider asks for. */
  readonly retryAfterMs?: number | undefined;
  /** What the answer cost. Undefined with `isBilled`: not known. */
  readonly usage?: TokenUsage | undefined;
  /** The provider may have computed, and may bill for it. */
  readonly isBilled?: boolean;
}

/** Why a language model gave no usable answer. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly reason: FallbackReasonName;
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly usage: TokenUsage | undefined;
  readonly isBilled: boolean;

  constructor(reason: FallbackReasonName, detail: string, options: FailureOptions = {}) {
    super(detail);
    this.reason = reason;
    this.isRetryable = options.isRetryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.usage = options.usage;
    this.isBilled = options.isBilled ?? options.usage !== undefined;
  }
}
