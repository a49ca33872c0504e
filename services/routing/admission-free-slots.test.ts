import { describe, expect, it } from '@jest/globals';
import { freeSlots } from './admission.ts';

describe('freeSlots', () => {
  const engine = (availableSlots: number, isAvailable = true): { availableSlots: number; isAvailable: boolean } => ({
    availableSlots,
    isAvailable,
  });

  it('adds the slots of all available engines', () => {
    expect(freeSlots([engine(2), engine(3), engine(9, false)])).toBe(5);
  });

  it('counts an overloaded engine as 0', () => {
    expect([freeSlots([engine(1), engine(-2)]), freeSlots([engine(0), engine(-2)])]).toEqual([1, 0]);
  });

  it('is Infinity if no engine is available, since waiting would not help', () => {
    expect([freeSlots([engine(5, false)]), freeSlots([])]).toEqual([Infinity, Infinity]);
  });
});
