// Maps messages of the old protocol to API calls: see docs/migrating.md.
import { RouterError } from '../../core/errors.ts';
import { hex64 } from '../../core/hex.ts';
import { QueryRequest, QueryResponse } from '../../generated/tandem/v1/agents.ts';
import {
  GetMetricsRequest,
  GetMetricsResponse,
  ResetMetricsRequest,
  ResetMetricsResponse,
} from '../../generated/tandem/v1/metrics.ts';
import { PingRequest, PingResponse, ReasonRequest, ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { plainJson } from './plain-json.ts';

export type Message = Readonly<Record<string, unknown>>;

interface TranslatedCall {
  /** Of the method. */
  readonly path: string;
  /** Encoded. */
  readonly request: Uint8Array;
  /** The answer of the old protocol. `response`: encoded. */
  readonly answer: (response: Buffer) => Message;
}

type Translate = (message: Message) => TranslatedCall;

export const RESET_METRICS = '/tandem.v1.MetricsService/ResetMetrics';

const TRANSLATIONS: Readonly<Record<string, Translate>> = {
  ping: () => ({
    path: '/tandem.v1.ReasoningService/Ping',
    request: PingRequest.encode({}).finish(),
    answer: (bytes) => {
      const { message, serverTimeMs, processingTimeMs } = PingResponse.decode(bytes);
      return { result: message, server_time_ms: Number(serverTimeMs), processing_time_ms: processingTimeMs };
    },
  }),
  reason: (message) => ({
    path: '/tandem.v1.ReasoningService/Reason',
    request: ReasonRequest.encode(toReasonRequest(message)).finish(),
    answer: (bytes) => toReasonAnswer(ReasonResponse.decode(bytes)),
  }),
  query: (message) => {
    const query = textIn(message, 'query') ?? textIn(message, 'text') ?? '';
    const [corpus, label] = [textIn(message, 'corpus') ?? '', textIn(message, 'label') ?? ''];
    const request = { query, corpus, label, topK: countIn(message, 'top_k') ?? 0 };
    return {
      path: '/tandem.v1.AgentService/Query',
      request: QueryRequest.encode(request).finish(),
      answer: (bytes) => {
        const response = plainJson(QueryResponse, bytes);
        return { result: '', ...response, ...(response['answer'] === undefined ? {} : { result: response['answer'] }) };
      },
    };
  },
  metrics: (message) =>
    message['reset'] === true
      ? {
          path: RESET_METRICS,
          request: ResetMetricsRequest.encode({}).finish(),
          answer: (bytes) => plainJson(ResetMetricsResponse, bytes),
        }
      : {
          path: '/tandem.v1.MetricsService/GetMetrics',
          request: GetMetricsRequest.encode({}).finish(),
          answer: (bytes) => plainJson(GetMetricsResponse, bytes),
        },
};

/** Throws INVALID_FIELD for an unknown type or an invalid field. */
export function translate(message: Message): TranslatedCall {
  const { type } = message;
  if (typeof type === 'string' && Object.hasOwn(TRANSLATIONS, type)) return TRANSLATIONS[type]!(message);
  const known = Object.keys(TRANSLATIONS).join(', ');
  const found = typeof type === 'string' ? `"${type.slice(0, 64)}"` : 'missing';
  throw new RouterError('INVALID_FIELD', `type is ${found}; send one of ${known}`, { field: 'type' });
}

function toReasonRequest(message: Message): ReasonRequest {
  const { encoding } = message;
  if (encoding !== undefined && !Array.isArray(encoding)) {
    throw new RouterError('INVALID_FIELD', 'encoding must be a list of numbers', { field: 'encoding' });
  }
  const numbers = (encoding ?? []) as unknown[];
  const bad = numbers.findIndex((value) => typeof value !== 'number');
  if (bad >= 0) {
    const field = `encoding[${bad}]`;
    throw new RouterError('INVALID_FIELD', `${field} is not a number`, { field });
  }
  return ReasonRequest.fromPartial({
    requestId: textIn(message, 'request_id') ?? '',
    model: textIn(message, 'model') ?? '',
    modelVersion: countIn(message, 'model_version') ?? 0,
    encoding: numbers as number[],
    text: textIn(message, 'text') ?? '',
  });
}

function toReasonAnswer(response: ReasonResponse): Message {
  const { label, labelIndex, confidence, scores, stateDigest, model, modelVersion, totalSpikes } = response;
  return {
    ...{ result: label, label_index: labelIndex, confidence, scores },
    ...{ request_id: response.requestId, model, model_version: modelVersion, total_spikes: Number(totalSpikes) },
    ...{ state_digest: hex64(stateDigest), engine: response.engine?.engineId ?? '' },
    processing_time_ms: response.processingTimeMs,
  };
}

/** Undefined: it is not there. */
function textIn(message: Message, field: string): string | undefined {
  const value = message[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw new RouterError('INVALID_FIELD', `${field} must be a text`, { field });
}

function countIn(message: Message, field: string): number | undefined {
  const value = message[field];
  if (value === undefined || value === null) return undefined;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32) return value as number;
  throw new RouterError('INVALID_FIELD', `${field} must be a whole number from 0 to 4294967295`, { field });
}
