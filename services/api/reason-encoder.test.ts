import { describe, expect, it } from '@jest/globals';
import { fakeAnswer, fakeReasoned } from '../../test/fakes/fake-answer.ts';
import {
  ReasonBatchResponse,
  ReasonResponse,
  ReasonStreamResponse,
  ReasonError,
} from '../generated/tandem/v1/reasoning.ts';
import { energyJ } from '../core/work.ts';
import { encodeBatch, encodeResponse, encodeStreamResponse } from './reason-encoder.ts';

const decode = (bytes: Buffer): ReasonResponse => ReasonResponse.decode(bytes);

describe('encodeResponse', () => {
  it('has every field of the response', () => {
    const decoded = ReasonResponse.decode(
      encodeResponse('mine', fakeReasoned(), performance.now() - 5, 'f'.repeat(32)),
    );
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
    const kept = fakeAnswer();
    const hit = fakeReasoned({ answer: kept, cache: 'HIT', attempts: [] });
    encodeStreamResponse('of another message', { $case: 'result', value: Buffer.alloc(0) }, 1);
    const first = ReasonResponse.decode(encodeResponse('a', hit, performance.now(), ''));
    const second = ReasonResponse.decode(encodeResponse('b', hit, performance.now(), ''));
    expect(kept.encoded).toBeInstanceOf(Uint8Array);
    const { requestId, timing, processingTimeMs } = second;
    expect(second).toEqual({ ...first, requestId, timing, processingTimeMs });
    expect(first.requestId).toBe('a');
    expect([second.requestId, second.label, second.attempts]).toEqual(['b', 'wörld', []]);
    expect(second.timing).toEqual({ queueUs: 0, engineUs: 0, computeUs: 0, totalUs: expect.any(Number) });
    expect(second.cost).toEqual({ ...{ inferences: 0, computeUs: 0, synapticOperations: 0n, spikes: 0n }, energyJ: 0 });
  });

  it('keeps no encoded copy of an answer that is not cached', () => {
    const kept = fakeAnswer();
    encodeResponse('a', fakeReasoned({ answer: kept, attempts: fakeReasoned().attempts.slice(2) }), 0, '');
    expect(kept.encoded).toBeUndefined();
  });

  it('has the time since its request arrived, in milliseconds and in microseconds', () => {
    const startedMs = performance.now() - 5;
    const { processingTimeMs, timing } = decode(encodeResponse('a', fakeReasoned(), startedMs, ''));
    expect(processingTimeMs).toBeLessThanOrEqual(performance.now() - startedMs);
    expect(timing!.totalUs).toBe(Math.round(processingTimeMs * 1_000));
  });

  it.each([
    ['no attempt of the answering engine ended with OK', 'engine-1', 0, 2, 0],
    ['only another engine ended with OK', 'engine-2', 0, 3, 0],
    ['the answering engine ended with OK at last', 'engine-1', 0, 3, 1_500],
    ['the only attempt ended with OK', 'engine-1', 2, 3, 1_500],
  ])('has the time of the engine that answered: %s', (_, id, from, to, engineUs) => {
    const answer = fakeAnswer({ engine: { id, kind: 'sidecar', build: 'x' } });
    const attempts = fakeReasoned().attempts.slice(from, to);
    const { timing } = decode(encodeResponse('a', fakeReasoned({ answer, attempts }), 0, ''));
    expect(timing).toMatchObject({ queueUs: 7, engineUs, computeUs: 8 });
  });

  it('has a vote of one ballot', () => {
    const answer = fakeAnswer({ ballots: fakeAnswer().ballots.slice(1) });
    expect(decode(encodeResponse('a', fakeReasoned({ answer }), 0, '')).vote?.ballots).toHaveLength(1);
  });

  it('adds up the cost of every attempt that computed', () => {
    const work = { computeUs: 30, batchItems: 3, synapticOperations: 1_000n, totalSpikes: 4n };
    const attempt = { engineId: 'e', outcome: 'OK', durationMs: 1 } as const;
    const attempts = [{ ...attempt, work }, attempt, { ...attempt, work }];
    const { cost } = decode(encodeResponse('a', fakeReasoned({ attempts }), 0, ''));
    expect(cost).toEqual({
      ...{ inferences: 2, computeUs: 20, synapticOperations: 2_000n, spikes: 8n, energyJ: energyJ(2_000) },
    });
    expect(cost!.energyJ).toBeGreaterThan(0);
  });

  it.each([
    [true, Buffer.from([7, 8])],
    [true, Buffer.alloc(0)],
    [false, Buffer.alloc(200, 5)],
    [false, Buffer.alloc(20_000, 6)],
    [true, undefined],
  ])('has the state of its session: %#', (opened, state) => {
    const session = { id: 's', step: 48, state, opened };
    expect(decode(encodeResponse('a', fakeReasoned({ session }), 0, '')).session).toEqual({
      ...{ id: 's', step: 48, state: state ?? new Uint8Array(0), opened },
    });
  });

  it('leaves out what an answer does not have', () => {
    const { layers, readoutPerStep, ...inference } = fakeAnswer().inference;
    expect([layers, readoutPerStep]).not.toContain(undefined);
    const answer = fakeAnswer({ inference, ballots: [] });
    const made = decode(encodeResponse('a', fakeReasoned({ answer }), 0, ''));
    expect([made.layers, made.readoutPerStep, made.vote, made.session]).toEqual([[], [], undefined, undefined]);
  });

  it('creates a request id if the request has none', () => {
    expect(ReasonResponse.decode(encodeResponse('', fakeReasoned(), 0, '')).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('responses of a batch or a stream', () => {
  const result = encodeResponse('mine', fakeReasoned(), performance.now(), '');
  const error = ReasonError.fromPartial({ code: 3, reason: 'INPUT_LENGTH', message: 'too short', field: 'encoding' });
  const asResult = { $case: 'result', value: ReasonResponse.decode(result) } as const;

  it('have nothing of the message before', () => {
    expect(encodeBatch([], 0)).toHaveLength(0);
    expect(encodeBatch([], 0)).toHaveLength(0);
  });

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
