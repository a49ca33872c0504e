// Converts a schema to a request's `response_format`, and the provider's text to a value of the schema.
import { z } from 'zod';
import { ProviderFailure } from './provider.ts';

/** For `response_format`. Limits that `refine` checks are left out: few providers support all of them. */
export function jsonSchemaOf(name: string, schema: z.ZodType): { readonly name: string; readonly json: object } {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return { name, json };
}

/** Throws ProviderFailure MALFORMED or SCHEMA. */
export function parseReply<T>(content: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(withoutFence(content));
  } catch {
    throw new ProviderFailure('MALFORMED', 'the answer is not JSON');
  }
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const { path, message } = error.issues[0]!;
  const where = path.length === 0 ? 'the answer' : `"${path.map(String).join('.')}" in the answer`;
  throw new ProviderFailure('SCHEMA', `${where} has another form: ${message}`);
}

/** Models often wrap JSON in Markdown. */
function withoutFence(content: string): string {
  const text = content.trim();
  if (!text.startsWith(FENCE) || !text.endsWith(FENCE)) return text;
  return text.slice(text.indexOf('\n') + 1, -FENCE.length);
}

const FENCE = '```';
