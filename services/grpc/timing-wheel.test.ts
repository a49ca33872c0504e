import { beforeEach, describe, expect, it } from '@jest/globals';
import { TimingWheel, type Waiting } from './timing-wheel.ts';

let nowMs: number;
let tick: (() => void) | undefined;
let wheel: TimingWheel;
let rung: string[];

beforeEach(() => {
  nowMs = 1_000.5;
  tick = undefined;
  rung = [];
  wheel = new TimingWheel({
    now: () => nowMs,
    every: (_ms, run) => {
      tick = run;
      return () => (tick = undefined);
    },
  });
});

function wait(name: string, ms: number, onDue: () => void = () => undefined): Waiting {
  const waiting: Waiting = {
    ...{ dueMs: nowMs + ms, next: undefined, previous: undefined },
    onDue: () => {
      rung.push(name);
      onDue();
    },
  };
  wheel.add(waiting);
  return waiting;
}

/** Advances the clock in steps of one tick. */
function pass(ms: number): void {
  for (const endMs = nowMs + ms; nowMs < endMs;) {
    nowMs = Math.min(endMs, nowMs + 5);
    tick?.();
  }
}

describe('TimingWheel', () => {
  it('calls onDue when the time is reached, at most one tick late', () => {
    wait('a', 50);
    pass(49);
    expect(rung).toEqual([]);
    pass(7);
    expect(rung).toEqual(['a']);
  });

  it('calls onDue in the order of the due times', () => {
    wait('late', 100);
    wait('soon', 20);
    pass(200);
    expect(rung).toEqual(['soon', 'late']);
  });

  it('accepts a time beyond one turn of the wheel', () => {
    wait('a', 10_000);
    pass(9_990);
    expect(rung).toEqual([]);
    pass(20);
    expect(rung).toEqual(['a']);
  });

  it('does not call onDue after remove(), even within the same tick', () => {
    const second = (): Waiting => b;
    wait('a', 10, () => wheel.remove(second()));
    const b = wait('b', 10);
    pass(50);
    expect(rung).toEqual(['a']);
    wheel.remove(b);
  });

  it('accepts an entry again from its onDue', () => {
    const a = wait('a', 10, () => {
      if (rung.length > 1) return;
      a.dueMs = nowMs + 10;
      wheel.add(a);
    });
    pass(50);
    expect(rung).toEqual(['a', 'a']);
  });

  it('calls onDue for a time in the past', () => {
    wait('a', -500);
    pass(10);
    expect(rung).toEqual(['a']);
  });

  it('calls onDue after the process was suspended for more than one turn', () => {
    wait('a', 700);
    nowMs += 60_000;
    tick?.();
    expect(rung).toEqual(['a']);
  });

  it('runs its timer only while it has entries', () => {
    const a = wait('a', 1_000);
    expect(tick).toBeDefined();
    wheel.remove(a);
    pass(10);
    expect(tick).toBeUndefined();
    wait('b', 10);
    pass(20);
    expect(rung).toEqual(['b']);
  });
});
