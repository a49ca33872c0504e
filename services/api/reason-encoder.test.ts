import { describe, expect, it } from '@jest/globals';
import {
  ReasonBatchResponse,
  ReasonResponse,
  ReasonStreamResponse,
  ReasonError,
} from '../generated/tandem/v1/reasoning.ts';
import type { Answer } from '../routing/answer.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import { version } from '../../test/fakes/router-parts.ts';
import { encodeBatch, encodeResponse, encodeStreamResponse } from './reason-encoder.ts';

const WORK = { computeUs: 10, batchItems: 2, synapticOperations: 2n ** 60n, totalSpikes: 9n };

function answer(over: Partial<Answer> = {}): Answer {
  return {
    ...{ label: 'wörld', labelIndex: 1, confidence: 0.75, scores: [0.25, 0.75], grade: 'MAJORITY', isFirm: true },
    inference: {
      ...{ modelVersion: 1, steps: 16, spikeCounts: [3, 300], totalSpikes: 303n, synapticOperations: 2n ** 60n },
      potentials: new Uint8Array(new Float32Array([-0.5, 1e-40]).buffer),
      readoutPerStep: new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
      ...{ stateDigest: 2n ** 63n + 1n, readoutDigest: 5n, queueUs: 7, computeUs: 8, batchItems: 1, recordingId: 0n },
      layers: [
        {
          ...{ node: 'lif', neurons: 4, spikes: 3, spikesPerStep: [1, 2], eventSteps: [0], eventNeurons: [1] },
          eventsLeftOut: 0,
        },
      ],
    },
    engine: { id: 'engine-1', kind: 'sidecar', build: 'b'.repeat(200) },
    strategy: 'REDUNDANT',
    ballots: [
      {
        ...{ engineId: 'engine-1', stateDigest: 7n, readoutDigest: 8n, outcome: 'AGREED', why: '', durationMs: 1.5 },
        recordingId: 0n,
      },
      {
        ...{ engineId: 'engine-2', stateDigest: undefined, readoutDigest: undefined, outcome: 'ABSENT' },
        ...{ why: 'ENGINE_LOST', durationMs: 2, recordingId: 0n },
      },
    ],
    encoded: undefined,
    ...over,
  };
}

function reasoned(over: Partial<ReasonAnswer> = {}): ReasonAnswer {
  return {
    answer: answer(),
    model: version(3),
    cache: 'BYPASSED',
    grade: 'MAJORITY',
    attempts: [
      { engineId: 'engine-1', outcome: 'ENGINE_LOST', durationMs: 3 },
      { engineId: 'engine-2', outcome: 'ENGINE_LOST', durationMs: 2 },
      { engineId: 'engine-1', outcome: 'OK', durationMs: 1.5, work: WORK },
    ],
    ...over,
  };
}

describe('encodeResponse', () => {
  it('has every field of the response', () => {
    const decoded = ReasonResponse.decode(encodeResponse('mine', reasoned(), performance.now() - 5, 'f'.repeat(32)));
    const { processingTimeMs, timing, ...rest } = ReasonResponse.toJSON(decoded) as Record<string, unknown>;
    expect(processingTimeMs).toBeGreaterThanOrEqual(5);
    expect(timing).toEqual({ queueUs: 7, engineUs: 1_500, computeUs: 8, totalUs: expect.any(Number) });
    expect(rest).toEqual({
      ...{ requestId: 'mine', label: 'wörld', labelIndex: 1, confidence: 0.75, scores: [0.25, 0.75] },
      ...{ spikeCounts: [3, 300], totalSpikes: '303', synapticOperations: String(2n ** 60n) },
      ...{ stateDigest: String(2n ** 63n + 1n), model: 'm', modelVersion: 3, steps: 16 },
      engine: { engineId: 'engine-1', kind: 'ENGINE_KIND_SIDECAR', build: 'b'.repeat(200) },
      strategy: 'STRATEGY_REDUNDANT',
      attempts: [
        { engineId: 'engine-1', outcome: 'ENGINE_LOST', durationUs: 3_000 },
        { engineId: 'engine-2', outcome: 'ENGINE_LOST', durationUs: 2_000 },
        { engineId: 'engine-1', outcome: 'OK', durationUs: 1_500 },
      ],
      ...{ cache: 'CACHE_STATUS_BYPASSED', grade: 'GRADE_MAJORITY', traceId: 'f'.repeat(32) },
      vote: {
        ballots: [
          { engineId: 'engine-1', stateDigest: '7', outcome: 'BALLOT_OUTCOME_AGREED', durationUs: 1_500 },
          { engineId: 'engine-2', outcome: 'BALLOT_OUTCOME_ABSENT', why: 'ENGINE_LOST', durationUs: 2_000 },
        ],
      },
      layers: [{ node: 'lif', neurons: 4, spikes: '3', spikesPerStep: [1, 2], eventSteps: [0], eventNeurons: [1] }],
      potentials: [-0.5, Math.fround(1e-40)],
      readoutPerStep: [1, 2, 3, 4],
      cost: {
        ...{ inferences: 1, computeUs: 5, synapticOperations: String(2n ** 60n), spikes: '9' },
        energyJ: expect.any(Number),
      },
    });
  });

  it('leaves out the timing and cost of the first run for a cached answer', () => {
    const kept = answer();
    const hit = reasoned({ answer: kept, cache: 'HIT', attempts: [] });
    const first = ReasonResponse.decode(encodeResponse('a', hit, performance.now(), ''));
    const second = ReasonResponse.decode(encodeResponse('b', hit, performance.now(), ''));
    expect(kept.encoded).toBeInstanceOf(Uint8Array);
    const { requestId, timing, processingTimeMs } = second;
    expect(second).toEqual({ ...first, requestId, timing, processingTimeMs });
    expect([second.requestId, second.label, second.attempts]).toEqual(['b', 'wörld', []]);
    expect(second.timing).toEqual({ queueUs: 0, engineUs: 0, computeUs: 0, totalUs: expect.any(Number) });
    expect(second.cost).toEqual({ ...{ inferences: 0, computeUs: 0, synapticOperations: 0n, spikes: 0n }, energyJ: 0 });
  });

  it('creates a request id if the request has none', () => {
    expect(ReasonResponse.decode(encodeResponse('', reasoned(), 0, '')).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('responses of a batch or a stream', () => {
  const result = encodeResponse('mine', reasoned(), performance.now(), '');
  const error = ReasonError.fromPartial({ code: 3, reason: 'INPUT_LENGTH', message: 'too short', field: 'encoding' });
  const asResult = { $case: 'result', value: ReasonResponse.decode(result) } as const;

  it('are encoded as one message, in order', () => {
    const batch = encodeBatch(
      [
        { $case: 'result', value: result },
        { $case: 'error', value: error },
      ],
      1.5,
    );
    expect(ReasonBatchResponse.decode(batch)).toEqual({
      results: [{ outcome: asResult }, { outcome: { $case: 'error', value: error } }],
      processingTimeMs: 1.5,
    });
  });

  it('are encoded as one message each', () => {
    const [good, bad] = [{ $case: 'result', value: result } as const, { $case: 'error', value: error } as const];
    expect(ReasonStreamResponse.decode(encodeStreamResponse('mine', good, 1.5))).toEqual({
      ...{ requestId: 'mine', outcome: asResult, processingTimeMs: 1.5 },
    });
    expect(ReasonStreamResponse.decode(encodeStreamResponse('', bad, 0))).toEqual({
      ...{ requestId: '', outcome: bad, processingTimeMs: 0 },
    });
  });
});
