// Parses one line of `tandem batch` and `tandem stream`: numbers, a list, or an object with options.
import * as grpc from '@grpc/grpc-js';
import { z } from 'zod';
import type { ReasonRequest, ReasonStreamResponse } from '../generated/tandem/v1/reasoning.ts';
import { cacheModeFromJSON, strategyFromJSON } from '../generated/tandem/v1/types.ts';
import { UsageError } from './usage-error.ts';
import { parseNumbers, toInput, withInput } from './input.ts';
import type { Line } from './lines.ts';
import { CACHE_MODES, STRATEGIES } from './request-options.ts';

/** For --help. */
export const LINE_FORMS = `
Each line is one input:
  [0.1, 0.2, 0.3]                        a list of numbers
  0.1 0.2 0.3                            the same as words
  [[0, 1], [1, 1], [0, 0]]               a time series, a list for each step
  {"id": "a", "encoding": [0.1, 0.2]}    either list with an id of its own (else its line's number) and, where
                                         wanted, "model", "model_version", "strategy" and "cache"
  {"text": "a small furry animal"}       a text instead of "encoding"`;

/** The result of a line: a request, or an error answer. */
export type Item = { readonly request: ReasonRequest } | { readonly answer: ReasonStreamResponse };

const objectForm = z.strictObject({
  id: z.string().optional(),
  model: z.string().optional(),
  model_version: z.int().min(0).optional(),
  encoding: z.array(z.unknown()).optional(),
  text: z.string().optional(),
  strategy: z.enum(STRATEGIES).optional(),
  cache: z.enum(CACHE_MODES).optional(),
});

/** Skips blank lines. */
export async function* readItems(lines: AsyncIterable<Line>, base: ReasonRequest): AsyncGenerator<Item> {
  for await (const line of lines) if (line.text.trim() !== '') yield readItem(line, base);
}

/** An invalid line fails alone, like an input that the router refuses. */
export function readItem({ number, text }: Line, base: ReasonRequest): Item {
  try {
    return { request: toRequest(text.trim(), String(number), base) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const message = `line ${number}: ${error.message}; it was not sent`;
    const value = {
      code: grpc.status.INVALID_ARGUMENT,
      reason: 'LINE_UNREADABLE',
      message,
      field: '',
      retryAfterMs: 0,
    };
    return { answer: { requestId: String(number), outcome: { $case: 'error', value }, processingTimeMs: 0 } };
  }
}

function toRequest(text: string, id: string, base: ReasonRequest): ReasonRequest {
  if (!text.startsWith('{')) return withInput({ ...base, requestId: id }, parseNumbers(text));
  const parsed = objectForm.safeParse(parseObject(text));
  if (!parsed.success) throw new UsageError(describeIssues(parsed.error.issues));
  const { data } = parsed;
  if ((data.encoding === undefined) === (data.text === undefined)) {
    throw new UsageError('give one of "encoding", a list of numbers, or of lists, and "text"');
  }
  const request = {
    ...base,
    requestId: data.id ?? id,
    model: data.model ?? base.model,
    modelVersion: data.model_version ?? base.modelVersion,
    strategy: data.strategy === undefined ? base.strategy : strategyFromJSON(`STRATEGY_${data.strategy}`),
    cache: data.cache === undefined ? base.cache : cacheModeFromJSON(`CACHE_MODE_${data.cache.toUpperCase()}`),
  };
  return data.encoding === undefined ? { ...request, text: data.text! } : withInput(request, toInput(data.encoding));
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`it is not JSON: ${(error as Error).message}`);
  }
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  // An unknown key is reported first: it is probably the missing key, misspelt.
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys');
  const known = Object.keys(objectForm.shape).join(', ');
  if (unknown) return `"${unknown.keys[0] ?? ''}" is not known; there are: ${known}`;
  const [issue] = issues;
  const key = issue?.path.join('.') ?? '';
  if (key === 'encoding') return '"encoding" must be a list of numbers, or of lists';
  return `"${key}": ${issue?.message ?? 'cannot be used'}`;
}
