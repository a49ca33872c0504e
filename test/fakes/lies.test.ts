import { describe, expect, it } from '@jest/globals';
import { InferItem, InferResult, Inference } from '../../services/generated/tandem/engine/v1/engine.ts';
import { FORBIDDEN_KINDS, FORBIDDEN_REFUSALS, HARMLESS, MALFORMED, REFUSALS, WRONG_ANSWERS } from './lies.ts';

const honest = InferResult.fromPartial({
  id: 7n,
  outcome: {
    $case: 'inference',
    value: Inference.fromPartial({
      ...{ modelVersion: 1, steps: 16, spikeCounts: [2, 9, 0], potentials: Buffer.alloc(12, 1) },
      ...{ totalSpikes: 40n, synapticOperations: 900n, stateDigest: 5n, readoutDigest: 6n },
    }),
  },
});
const item = InferItem.fromPartial({ id: 7n });

/** Its encoded form. */
const encode = (results: readonly InferResult[]): string =>
  results.map((result) => Buffer.from(InferResult.encode(result).finish()).toString('hex')).join(' ');

describe('the table of lies', () => {
  it('has at least 20 malformed answers and every refusal that an engine may raise', () => {
    expect(MALFORMED.length).toBeGreaterThanOrEqual(20);
    expect(REFUSALS.map(({ name }) => name)).toEqual([
      ...['INPUT_LENGTH', 'INPUT_KIND', 'INPUT_STEPS', 'INPUT_NOT_FINITE', 'INVALID_FIELD', 'DETAIL_TOO_LARGE'],
      ...['STATE_INVALID', 'STATE_MODEL', 'STATE_TOO_LARGE', 'UNKNOWN_MODEL', 'MODEL_INVALID', 'NON_FINITE'],
    ]);
  });

  it('has each name once', () => {
    for (const table of [MALFORMED, REFUSALS, FORBIDDEN_KINDS, FORBIDDEN_REFUSALS, WRONG_ANSWERS, HARMLESS]) {
      const names = table.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  it('has only different lies, and none equals the correct result', () => {
    const said = [...MALFORMED, ...WRONG_ANSWERS, ...REFUSALS].map(({ tamper }) => encode(tamper(honest, item)));
    expect(said).not.toContain(encode([honest]));
    expect(new Set(said).size).toBe(said.length);
  });

  it('does not change a refusal of the real engine if the lie is about an answer', () => {
    const [refused] = REFUSALS[0]!.tamper(honest, item);
    expect(WRONG_ANSWERS.map(({ tamper }) => tamper(refused!, item))).toEqual(WRONG_ANSWERS.map(() => [refused]));
  });
});
