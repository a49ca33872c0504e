import { describe, expect, it } from '@jest/globals';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput, LayerActivity } from '../core/inference.ts';
import { detailDigest } from './detail-digest.ts';
import { firstFailure, type KnownAnswer } from './known-answers.ts';

const INPUT: InferenceInput = { model: 'toy', version: 1, shape: [1], data: new Uint8Array(4) };
const KNOWN: KnownAnswer = { input: INPUT, stateDigest: 7n, readoutDigest: 8n };

/** Returns an engine that answers with these digests, or fails. */
function engine(answer: (input: InferenceInput) => Partial<Inference>): Parameters<typeof firstFailure>[0] {
  return { inferUncounted: async (input) => (await Promise.resolve(answer(input))) as Inference };
}

const RIGHT = { stateDigest: 7n, readoutDigest: 8n };

function layer(spikes: number): LayerActivity {
  const counts = { spikes, spikesPerStep: [spikes], eventSteps: [], eventNeurons: [], eventsLeftOut: 0 };
  return { node: 'lif', neurons: 4, ...counts };
}

function failing(kind: ErrorKind): Parameters<typeof firstFailure>[0] {
  return engine(() => {
    throw new RouterError(kind, 'no');
  });
}

describe('firstFailure', () => {
  it('returns undefined if every answer is right', async () => {
    expect(
      await firstFailure(
        engine(() => RIGHT),
        [KNOWN, KNOWN],
      ),
    ).toBeUndefined();
  });

  it.each([
    ['state', { ...RIGHT, stateDigest: 6n }],
    ['readout', { ...RIGHT, readoutDigest: 6n }],
  ])('returns a proof if the digest of the %s is wrong', async (_, answer) => {
    expect(
      await firstFailure(
        engine(() => answer),
        [KNOWN],
      ),
    ).toMatchObject({
      ...{ isProof: true, isLost: false, why: 'it got known input 1 of 1 wrong' },
    });
  });

  it.each([false, true])('finds an engine that lies only to requests with digestOnly %s', async (lied) => {
    const liar = engine(({ digestOnly }) => (digestOnly === lied ? { ...RIGHT, stateDigest: 6n } : RIGHT));
    expect(await firstFailure(liar, [KNOWN])).toMatchObject({ isProof: true });
  });

  it.each<[ErrorKind, boolean, boolean]>([
    ['ENGINE_LOST', true, false],
    ['DRAINING', true, false],
    ['ENGINE_SLOW', false, false],
    ['NON_FINITE', false, true],
  ])('classifies %s: isLost %s, isProof %s', async (kind, isLost, isProof) => {
    expect(await firstFailure(failing(kind), [KNOWN])).toMatchObject({ isLost, isProof });
  });

  it('checks the digest of the layers if it is known, but not of an answer with digests only', async () => {
    const layers = [layer(1)];
    const detailed = { ...KNOWN, detailDigest: detailDigest({ layers }) };
    const answering = (said: Partial<Inference>): Parameters<typeof firstFailure>[0] =>
      engine(({ digestOnly }) => (digestOnly ? RIGHT : { ...RIGHT, ...said }));
    expect(await firstFailure(answering({ layers }), [detailed])).toBeUndefined();
    for (const wrong of [{ layers: [layer(2)] }, {}]) {
      expect(await firstFailure(answering(wrong), [detailed])).toMatchObject({ isProof: true });
    }
    expect(await firstFailure(answering({ layers }), [KNOWN])).toBeUndefined();
  });

  it('gives each input five seconds', async () => {
    const deadlines: number[] = [];
    const startedMs = performance.now();
    const inferUncounted = (_: InferenceInput, { deadlineMs }: CallContext): Promise<Inference> => {
      deadlines.push(deadlineMs - startedMs);
      return Promise.resolve(RIGHT as Inference);
    };
    await firstFailure({ inferUncounted }, [KNOWN]);
    expect(deadlines).toHaveLength(2);
    for (const ms of deadlines) expect(ms).toBeGreaterThanOrEqual(5_000);
  });

  it('stops if the result is no longer needed', async () => {
    let calls = 0;
    const counting = engine(() => {
      calls += 1;
      return RIGHT;
    });
    expect(await firstFailure(counting, [KNOWN, KNOWN], () => calls >= 1)).toBeUndefined();
    expect(calls).toBe(1);
  });
});
