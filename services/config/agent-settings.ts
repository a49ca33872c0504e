// Settings of the agents' language model and its budget.
import { z } from 'zod';
import { LIVE } from './live.ts';
import { postgresSchema } from './postgres-settings.ts';

const MAX_TOKENS = 1_000_000_000_000;

const usdPerMillion = (of: string): z.ZodDefault<z.ZodNumber> =>
  z.number().min(0).max(1_000_000).default(0).describe(`Price of a million ${of} tokens, US dollars.`);

const tokens = (usual: number, spender: string): z.ZodDefault<z.ZodNumber> =>
  z
    .int()
    .min(0)
    .max(MAX_TOKENS)
    .default(usual)
    .describe(`Tokens that ${spender} may use in a window; 0: the provider is never called.`);

const usd = (usual: number, spender: string): z.ZodDefault<z.ZodNumber> =>
  z.number().min(0).max(1_000_000_000).default(usual).describe(`US dollars that ${spender} may cost in a window.`);

const providerSchema = z
  .strictObject({
    base_url: z
      .string()
      .regex(/^(https?:\/\/[^\s@]+)?$/, 'must be "https://HOST/v1", or empty')
      .default('')
      .describe(
        'Address of an OpenAI-compatible API, such as "https://api.openai.com/v1" or "http://127.0.0.1:11434/v1"; empty: there is none, and rules answer. Plaintext to another machine needs `insecure: true`.',
      ),
    model: z.string().max(256).default('').describe('The provider’s name for the model. Required with `base_url`.'),
    api_key_env: z
      .string()
      .regex(/^([A-Za-z_][A-Za-z0-9_]*)?$/, 'must be the name of an environment variable, or empty')
      .default('')
      .describe('Name of the environment variable with the API key; empty: the endpoint needs none.'),
    timeout_ms: z
      .int()
      .min(1)
      .max(600_000)
      .default(20_000)
      .describe(
        'Time limit for an answer, all attempts together, milliseconds; then rules answer. A caller’s deadline may be earlier.',
      ),
    max_retries: z.int().min(0).max(10).default(1).describe('Retries after a temporary failure.'),
    max_in_flight: z
      .int()
      .min(1)
      .max(10_000)
      .default(32)
      .describe('Maximum concurrent requests to it; above that, rules answer.'),
    max_completion_tokens: z.int().min(1).max(1_000_000).default(2_048).describe('Longest answer, tokens.'),
    prompt_usd_per_million: usdPerMillion('prompt'),
    completion_usd_per_million: usdPerMillion('completion'),
  })
  .prefault({})
  .describe('A language model, for AgentService.');

const budgetSchema = z
  .strictObject({
    window_ms: z
      .int()
      .min(1_000)
      .max(2_678_400_000)
      .default(86_400_000)
      .describe('Length of a budget window, milliseconds. Spending starts at 0 in each window and at a restart.'),
    tokens: tokens(2_000_000, 'all callers together'),
    usd: usd(10, 'all callers together'),
    caller_tokens: tokens(500_000, 'each caller'),
    caller_usd: usd(5, 'each caller'),
  })
  .prefault({})
  .describe('Spending limits. A call whose maximum cost could exceed a limit is not made, and rules answer.')
  .meta(LIVE);

export const agentsSchema = z
  .strictObject({
    provider: providerSchema,
    budget: budgetSchema,
    corpus_dir: z
      .string()
      .min(1)
      .default('corpora')
      .describe('Folder of the corpora that queries search: `npx tandem corpus add` fills it.'),
    postgres: postgresSchema,
  })
  .prefault({})
  .describe('AgentService: questions over documents, goals and tasks.');

export type AgentSettings = z.infer<typeof agentsSchema>;

/** The value of the variable that a setting names. Empty: the variable is not set, or no name is given. */
export function readSecret(name: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  return name === '' ? '' : (env[name] ?? '').trim();
}
