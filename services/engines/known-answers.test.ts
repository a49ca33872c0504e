import { describe, expect, it } from '@jest/globals';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import type { Inference, InferenceInput } from '../core/inference.ts';
import { firstFailure, type KnownAnswer } from './known-answers.ts';

const INPUT: InferenceInput = { model: 'toy', version: 1, shape: [1], data: new Uint8Array(4) };
const KNOWN: KnownAnswer = { input: INPUT, stateDigest: 7n, readoutDigest: 8n };

/** Returns an engine that answers with these digests, or fails. */
function engine(answer: (input: InferenceInput) => Partial<Inference>): Parameters<typeof firstFailure>[0] {
  return { inferUncounted: async (input) => (await Promise.resolve(answer(input))) as Inference };
}

const RIGHT = { stateDigest: 7n, readoutDigest: 8n };

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
