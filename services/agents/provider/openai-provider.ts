// Any endpoint that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Ollama, …
import type { OpenAI } from 'openai';
import { z } from 'zod';
import type { TokenUsage } from '../../core/agent-observer.ts';
import { limitedFetch } from './limited-fetch.ts';
import { type Provider, ProviderFailure, type ProviderReply, type ProviderRequest } from './provider.ts';

interface OpenAiOptions {
  readonly baseUrl: string;
  readonly model: string;
  /** Empty: the endpoint needs none. */
  readonly apiKey: string;
  readonly maxCompletionTokens: number;
}

/** Larger than any answer of `maxCompletionTokens`. */
const MAX_ANSWER_BYTES = 4_194_304;
/** The router enforces the deadline itself. The library's timer, milliseconds, is only a safety net. */
const LIBRARY_TIMEOUT_MS = 3_600_000;
const NO_KEY = 'none';
const TOO_MANY_REQUESTS = 429;
const MAX_DETAIL_CHARS = 200;
const MAX_CAUSES = 8;
const MAX_COUNT = 1e9;

const usageSchema = z.object({
  prompt_tokens: z.int().min(0).max(MAX_COUNT),
  completion_tokens: z.int().min(0).max(MAX_COUNT),
});

const replySchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
});

export class OpenAiProvider implements Provider {
  readonly #options: OpenAiOptions;
  #client: Promise<OpenAI> | undefined;

  constructor(options: OpenAiOptions) {
    this.#options = options;
  }

  get model(): string {
    return this.#options.model;
  }

  get maxCompletionTokens(): number {
    return this.#options.maxCompletionTokens;
  }

  async complete(request: ProviderRequest, signal: AbortSignal): Promise<ProviderReply> {
    const client = await (this.#client ??= load(this.#options));
    let reply: unknown;
    try {
      reply = await client.chat.completions.create(this.#body(request), { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw toFailure(error);
    }
    return read(reply);
  }

  /** No tools are offered, whatever the data says. */
  #body({ instructions, data, schema }: ProviderRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
    const { model, maxCompletionTokens } = this.#options;
    return {
      model,
      max_completion_tokens: maxCompletionTokens,
      messages: [
        { role: 'system', content: instructions },
        { role: 'user', content: data },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: schema.name, strict: true, schema: schema.json as Record<string, unknown> },
      },
    };
  }
}

/** Loaded with the first call: the library takes some megabytes. */
async function load({ baseUrl, apiKey }: OpenAiOptions): Promise<OpenAI> {
  const { OpenAI } = await import('openai');
  return new OpenAI({
    ...{ baseURL: baseUrl, apiKey: apiKey || NO_KEY, organization: null, project: null },
    ...{ maxRetries: 0, timeout: LIBRARY_TIMEOUT_MS, logLevel: 'off', fetch: limitedFetch(MAX_ANSWER_BYTES) },
  });
}

function read(reply: unknown): ProviderReply {
  const usage = usageOf(reply);
  const unknownUsage = { usage, isBilled: true };
  const parsed = replySchema.safeParse(reply);
  if (!parsed.success) throw new ProviderFailure('MALFORMED', 'the answer is no chat completion', unknownUsage);
  const { message, finish_reason: finish } = parsed.data.choices[0]!;
  if (message.refusal) throw new ProviderFailure('DECLINED', 'the model declined to answer', unknownUsage);
  if (finish === 'content_filter') {
    throw new ProviderFailure('DECLINED', 'the content filter of the provider cut the answer off', unknownUsage);
  }
  if (finish === 'length') {
    const advice = 'raise agents.provider.max_completion_tokens';
    throw new ProviderFailure('MALFORMED', `the answer is cut off; ${advice}`, unknownUsage);
  }
  if (!message.content) throw new ProviderFailure('MALFORMED', 'the answer has no text', unknownUsage);
  return { content: message.content, usage };
}

function usageOf(reply: unknown): TokenUsage | undefined {
  const { success, data } = z.object({ usage: usageSchema }).safeParse(reply);
  if (!success) return undefined;
  return { promptTokens: data.usage.prompt_tokens, completionTokens: data.usage.completion_tokens };
}

/** `error`: from the library. Its texts come from the provider and may be long. */
function toFailure(error: unknown): ProviderFailure {
  const causes = causesOf(error);
  const own = causes.find((cause) => cause instanceof ProviderFailure);
  if (own !== undefined) return own;
  const { status, headers } = error as { status?: number; headers?: Headers };
  if (typeof status === 'number') {
    return new ProviderFailure('PROVIDER_ERROR', `the provider answered with status ${status}`, {
      isRetryable: status === TOO_MANY_REQUESTS || status >= 500,
      retryAfterMs: retryAfter(headers?.get('retry-after')),
    });
  }
  if (causes.some(({ name }) => name === 'SyntaxError')) {
    return new ProviderFailure('MALFORMED', 'the answer is not JSON', { isBilled: true });
  }
  const why = causes.map(({ message }) => message).findLast((message) => message !== '') ?? 'unknown error';
  return new ProviderFailure('UNREACHABLE', `the provider cannot be reached: ${why.slice(0, MAX_DETAIL_CHARS)}`, {
    isRetryable: true,
  });
}

/** An error and its causes. The last cause says most, for example "connect ECONNREFUSED 127.0.0.1:9". */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; isError(cause) && causes.length < MAX_CAUSES; cause = cause.cause) causes.push(cause);
  return causes;
}

/** Also true for an error of another realm. */
function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value;
}

/** Seconds, as providers send them. */
function retryAfter(header: string | null | undefined): number | undefined {
  const seconds = Number(header ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}
