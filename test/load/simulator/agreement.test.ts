import { describe, expect, it } from '@jest/globals';
import { agreementOf, checkAgreement } from './agreement.ts';

const ours = [[[1, 2], [3, 4]]]; // prettier-ignore

describe('agreement with a peer', () => {
  it('is complete if every batch size gives our spike counts', () => {
    expect(agreementOf(ours, [ours[0]!, ours[0]!])).toEqual({ equalShare: 1, largest: 0 });
  });

  it('counts each output neuron that differs, and the largest difference', () => {
    const theirs = [ours[0]!, [[1, 2], [3, 7]]]; // prettier-ignore
    expect(agreementOf(ours, theirs)).toEqual({ equalShare: 7 / 8, largest: 3 });
  });

  it('is not required of a subject without a network', () => {
    expect(agreementOf(ours, [])).toBeUndefined();
  });

  it('is refused, with the subject’s name, if more than one neuron in a hundred differs', () => {
    expect(() => checkAgreement('jax', { equalShare: 0.985, largest: 1 })).toThrow(
      /^jax has .* 98\.5 % .* 99 % is needed/,
    );
    expect(() => checkAgreement('jax', { equalShare: 0.991, largest: 1 })).not.toThrow();
  });
});
