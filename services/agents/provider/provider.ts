// One exchange with a language model, and the one way in which it fails.
import type { FallbackReasonName, TokenUsage } from '../../core/agent-observer.ts';

export interface ProviderRequest {
  /** What the model is to do. Written by the router only. */
  readonly instructions: string;
  /** What callers and documents say: data, never instructions. */
  readonly data: string;
  /** The form of the answer. */
  readonly schema: { readonly name: string; readonly json: object };
}

export interface ProviderReply {
  readonly content: string;
  /** Undefined: the provider did not say, or what it said is no count. */
  readonly usage: TokenUsage | undefined;
}

export interface Provider {
  readonly model: string;
  /** The longest answer, tokens. */
  readonly maxCompletionTokens: number;
  /** Throws ProviderFailure, or what `signal` was aborted with. */
  complete(request: ProviderRequest, signal: AbortSignal): Promise<ProviderReply>;
}

interface FailureOptions {
  /** Another attempt may succeed. */
  readonly isRetryable?: boolean;
  /** The provider asks to wait so long before it. */
  readonly retryAfterMs?: number | undefined;
  /** The provider has sent an answer, and what it took. Undefined with `isBilled`: not known. */
  readonly usage?: TokenUsage | undefined;
  /** It may have computed, and wants to be paid for that. */
  readonly isBilled?: boolean;
}

/** Why a language model gives no answer that can be used. */
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
