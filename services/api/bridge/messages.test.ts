import { describe, expect, it } from '@jest/globals';
import { QueryRequest, QueryResponse } from '../../generated/tandem/v1/agents.ts';
import { GetMetricsResponse, ResetMetricsResponse } from '../../generated/tandem/v1/metrics.ts';
import { PingResponse, ReasonRequest, ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { type Message, translate } from './messages.ts';

const reasonRequest = (message: Message): ReasonRequest =>
  ReasonRequest.decode(translate({ type: 'reason', ...message }).request);
const queryRequest = (message: Message): QueryRequest =>
  QueryRequest.decode(translate({ type: 'query', ...message }).request);

describe('a message of the old protocol', () => {
  it.each([
    ['ping', {}, 'ReasoningService/Ping'],
    ['reason', {}, 'ReasoningService/Reason'],
    ['query', {}, 'AgentService/Query'],
    ['metrics', {}, 'MetricsService/GetMetrics'],
    ['metrics', { reset: false }, 'MetricsService/GetMetrics'],
    ['metrics', { reset: 1 }, 'MetricsService/GetMetrics'],
    ['metrics', { reset: true }, 'MetricsService/ResetMetrics'],
  ])('of type %s with %j calls %s', (type, over, path) => {
    expect(translate({ type, ...over }).path).toBe(`/tandem.v1.${path}`);
  });

  it('names an unknown type up to 64 characters', () => {
    expect(() => translate({ type: 'x'.repeat(65) })).toThrow(new RegExp(`^type is "x{64}"; send one of ping, reason`));
    expect(() => translate({ type: 5 })).toThrow(/^type is missing; send one of ping/);
  });

  it('becomes a request with all its fields', () => {
    const fields = { request_id: 'r', model: 'm', model_version: 2, encoding: [0.5], text: 't' };
    expect(reasonRequest(fields)).toEqual(
      ReasonRequest.fromPartial({ requestId: 'r', model: 'm', modelVersion: 2, encoding: [0.5], text: 't' }),
    );
    expect(queryRequest({ query: 'q', corpus: 'c', label: 'l', top_k: 3 })).toEqual({
      ...{ query: 'q', corpus: 'c', label: 'l', topK: 3 },
    });
  });

  it.each([{}, { request_id: null, model: null, model_version: null, text: null }])(
    'may leave out its fields: %j',
    (fields) => {
      expect(reasonRequest(fields)).toEqual(ReasonRequest.create());
      expect(queryRequest({ query: null, top_k: null })).toEqual({ query: '', corpus: '', label: '', topK: 0 });
    },
  );

  it('may have its query in field text', () => {
    expect(queryRequest({ text: 't' }).query).toBe('t');
    expect(queryRequest({ query: 'q', text: 't' }).query).toBe('q');
  });

  it.each<[unknown, boolean]>([
    [0, true],
    [2 ** 32 - 1, true],
    [2 ** 32, false],
    [-1, false],
    [0.5, false],
    ['1', false],
  ])('accepts counts of 32 bits: %p', (topK, isAccepted) => {
    const reading = (): number => queryRequest({ top_k: topK }).topK;
    if (isAccepted) expect(reading()).toBe(topK);
    else expect(reading).toThrow('top_k must be a whole number from 0 to 4294967295');
  });

  it.each<[Message, string]>([
    [{ type: 'query', query: 5 }, 'query'],
    [{ type: 'query', corpus: [] }, 'corpus'],
    [{ type: 'query', label: {} }, 'label'],
    [{ type: 'query', text: true }, 'text'],
    [{ type: 'reason', request_id: 5 }, 'request_id'],
    [{ type: 'reason', encoding: null }, 'encoding'],
    [{ type: 'reason', encoding: ['1'] }, 'encoding[0]'],
    [{ type: 'reason', encoding: [1, 2, null] }, 'encoding[2]'],
    [{ type: 'other' }, 'type'],
  ])('names the invalid field of %j', (message, field) => {
    expect(() => translate(message)).toThrow(
      expect.objectContaining({ kind: 'INVALID_FIELD', violation: expect.objectContaining({ field }) as unknown }),
    );
  });
});

describe('an answer of the old protocol', () => {
  const answerTo = (message: Message, bytes: Uint8Array): Message => translate(message).answer(Buffer.from(bytes));

  it('to a ping has its text and times', () => {
    const response = PingResponse.encode({ message: 'pong', serverTimeMs: 7n, processingTimeMs: 0.5 }).finish();
    expect(answerTo({ type: 'ping' }, response)).toEqual({
      ...{ result: 'pong', server_time_ms: 7, processing_time_ms: 0.5 },
    });
  });

  it('to a request has its result, its engine and its digest', () => {
    const response = ReasonResponse.fromPartial({
      ...{ label: 'a', labelIndex: 1, confidence: 0.5, scores: [0.5], requestId: 'r', model: 'm', modelVersion: 2 },
      ...{ totalSpikes: 9n, stateDigest: 15n, engine: { engineId: 'e' }, processingTimeMs: 0.25 },
    });
    expect(answerTo({ type: 'reason' }, ReasonResponse.encode(response).finish())).toEqual({
      ...{ result: 'a', label_index: 1, confidence: 0.5, scores: [0.5], request_id: 'r', model: 'm', model_version: 2 },
      ...{ total_spikes: 9, state_digest: '000000000000000f', engine: 'e', processing_time_ms: 0.25 },
    });
  });

  it('to a request has an empty engine if no engine is named', () => {
    const response = ReasonResponse.encode(ReasonResponse.create()).finish();
    expect(answerTo({ type: 'reason' }, response)).toMatchObject({ engine: '', label_index: 0 });
  });

  it.each([
    ['an answer', 'because', { result: 'because', answer: 'because' }],
    ['no answer', '', { result: '' }],
  ])('to a query with %s has its passages and a result', (_, answer, expected) => {
    const response = QueryResponse.fromPartial({ answer, passages: [{ document: 'd' }] });
    const message = answerTo({ type: 'query' }, QueryResponse.encode(response).finish());
    expect(message).toEqual({ ...expected, passages: [{ document: 'd' }] });
  });

  it('with metrics has them with plain keys', () => {
    const metrics = GetMetricsResponse.encode(GetMetricsResponse.fromPartial({ metrics: { requests: 5n } })).finish();
    expect(answerTo({ type: 'metrics' }, metrics)).toEqual({ metrics: { requests: 5 } });
    const reset = ResetMetricsResponse.encode(ResetMetricsResponse.create()).finish();
    expect(answerTo({ type: 'metrics', reset: true }, reset)).toEqual({});
  });
});
