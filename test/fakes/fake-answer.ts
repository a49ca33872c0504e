// Answers of the router for its API, with every field set.
import type { Answer } from '../../services/routing/answer.ts';
import type { ReasonAnswer } from '../../services/routing/router.ts';
import { version } from './router-parts.ts';

const WORK = { computeUs: 10, batchItems: 2, synapticOperations: 2n ** 60n, totalSpikes: 9n };

export function fakeAnswer(over: Partial<Answer> = {}): Answer {
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

export function fakeReasoned(over: Partial<ReasonAnswer> = {}): ReasonAnswer {
  return {
    answer: fakeAnswer(),
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
