import { describe, expect, it } from '@jest/globals';
import { type SlowStart, applySlowStart } from './slow-start.ts';

const old = (id: string): { id: string; readySinceMs: number } => ({ id, readySinceMs: -Infinity });
const fresh = (id: string): { id: string; readySinceMs: number } => ({ id, readySinceMs: 10_000 });

/** The order after `ageMs` of the new engines, with these random draws. */
function order(plan: { id: string; readySinceMs: number }[], ageMs: number, draws: number[], over = {}): string {
  const options: SlowStart = {
    strategy: 'ROUND_ROBIN',
    slowStartMs: 2_000,
    nowMs: 10_000 + ageMs,
    inFlight: 100,
    random: () => draws.shift() ?? 0,
    ...over,
  };
  return applySlowStart(plan, options)
    .map(({ id }) => id)
    .join('');
}

describe('applySlowStart', () => {
  it('does not change a plan that starts with an old engine', () => {
    const plan = [old('a'), fresh('b')];
    const untouched = {
      strategy: 'ROUND_ROBIN',
      slowStartMs: 2_000,
      nowMs: 0,
      inFlight: 100,
      random: () => 1,
    } as const;
    expect(applySlowStart(plan, untouched)).toBe(plan);
  });

  it.each([
    [0, 0.1],
    [1_000, 0.55],
    [1_900, 0.955],
  ])('keeps a new engine first after %i ms with probability %d, else moves it last', (ageMs, probability) => {
    const plan = [fresh('a'), old('b'), old('c')];
    expect(order(plan, ageMs, [probability - 0.001])).toBe('abc');
    expect(order(plan, ageMs, [probability + 0.001])).toBe('bca');
  });

  it('does nothing after slowStartMs', () => {
    expect(order([fresh('a'), old('b')], 2_000, [0.999])).toBe('ab');
  });

  it('draws for each new engine that becomes the first', () => {
    expect(order([fresh('a'), fresh('b'), old('c')], 0, [0.5, 0])).toBe('bca');
    expect(order([fresh('a'), fresh('b'), old('c')], 0, [0.5, 0.5])).toBe('cab');
  });

  it('does not change a plan of new engines only', () => {
    expect(order([fresh('a'), fresh('b')], 0, [0.5, 0.5])).toBe('ab');
  });

  it('does nothing if there are no more requests than engines', () => {
    expect(order([fresh('a'), old('b')], 0, [0.5], { inFlight: 2 })).toBe('ab');
    expect(order([fresh('a'), old('b')], 0, [0.5], { inFlight: 3 })).toBe('ba');
  });

  it.each(['FASTEST', 'HEDGED', 'AFFINITY', 'REDUNDANT'])('does not change a plan of %s', (strategy) => {
    expect(order([fresh('a'), old('b')], 0, [0.5], { strategy })).toBe('ab');
  });

  it('does nothing at 0 ms', () => {
    expect(order([fresh('a'), old('b')], 0, [0.5], { slowStartMs: 0 })).toBe('ab');
  });
});
