import { describe, expect, it } from '@jest/globals';
import { Interrupt, Interrupted } from './interrupt.ts';

const BETWEEN_LOOKS = 2 ** 20;
const passed = (): Interrupt => Interrupt.at(performance.now() - 1);

function reasonOf(work: () => void): string {
  try {
    work();
    return '';
  } catch (error) {
    return error instanceof Interrupted ? error.reason : 'not Interrupted';
  }
}

describe('Interrupt', () => {
  it('stops a run whose flag is set', () => {
    const flags = Int32Array.of(0, 0, 0);
    const interrupt = new Interrupt(flags, 1, Infinity);
    flags[0] = 1;
    flags[2] = 1;
    expect(reasonOf(() => interrupt.look())).toBe('');
    flags[1] = 1;
    expect(reasonOf(() => interrupt.look())).toBe('CANCELLED');
  });

  it('stops a run at its deadline', () => {
    expect(reasonOf(() => Interrupt.at(performance.now() + 60_000).look())).toBe('');
    expect(reasonOf(() => passed().look())).toBe('DEADLINE_EXCEEDED');
    expect(reasonOf(() => new Interrupt(Int32Array.of(1), 0, 0).look())).toBe('CANCELLED');
  });

  it('never stops a run without a deadline', () => {
    expect(reasonOf(() => Interrupt.never().look())).toBe('');
  });

  it('looks after so much work, and again after as much', () => {
    const flags = Int32Array.of(0);
    const interrupt = new Interrupt(flags, 0, Infinity);
    const spend = (units: number): string => reasonOf(() => interrupt.spend(units));
    expect(spend(BETWEEN_LOOKS)).toBe('');
    flags[0] = 1;
    expect([spend(1), spend(BETWEEN_LOOKS - 2), spend(1)]).toEqual(['', '', 'CANCELLED']);
    expect([spend(BETWEEN_LOOKS - 1), spend(2)]).toEqual(['', 'CANCELLED']);
  });
});
