import { describe, expect, it } from '@jest/globals';
import { fitted } from './input-shape.ts';

function shape(given: number[], inputShape: number[], inputKind = 'series', encoder = ''): number[] {
  return fitted({ shape: given, data: Buffer.alloc(0), text: '' }, { inputKind, inputShape, encoder }).shape;
}

describe('fitted', () => {
  it('splits numbers into the steps of a model that takes a series', () => {
    expect(shape([12], [3])).toEqual([4, 3]);
    expect(shape([3], [3])).toEqual([1, 3]);
  });

  it('flattens one frame per step to a row', () => {
    expect(shape([10, 1, 2, 3], [2, 3])).toEqual([10, 6]);
    expect(shape([10, 6], [2, 3])).toEqual([10, 6]);
  });

  it('flattens a single step if the model does not take a series', () => {
    expect(shape([1, 2, 3], [6], 'constant')).toEqual([6]);
    expect(shape([1, 2, 3], [6], 'series', 'rate')).toEqual([6]);
  });

  it('leaves an unsuitable shape for the router to refuse', () => {
    expect([shape([13], [3]), shape([4, 4], [3]), shape([5], [3], 'constant')]).toEqual([[13], [4, 4], [5]]);
  });
});
