// The maximum number of tokens of a request, computed before it is sent.
import type { TokenUsage } from '../../core/agent-observer.ts';
import type { Provider, ProviderRequest } from './provider.ts';

/** What a provider adds to two messages and a schema: role marks and the like. */
const FRAME_TOKENS = 128;

/** The usual tokenizers work on bytes, so they never make more tokens than bytes. */
export function mostTokens(request: ProviderRequest, { maxCompletionTokens }: Provider): TokenUsage {
  const texts = [request.instructions, request.data, request.schema.name, JSON.stringify(request.schema.json)];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return { promptTokens: bytes + FRAME_TOKENS, completionTokens: maxCompletionTokens };
}
