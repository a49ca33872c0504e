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

/** Lets time pass in steps of a tick. */
function pass(ms: number): void {
  for (const endMs = nowMs + ms; nowMs < endMs;) {
    nowMs = Math.min(endMs, nowMs + 5);
    tick?.();
  }
}

describe('what waits in a timing wheel', () => {
  it('is told when its time has come, not before, and at most a tick late', () => {
    wait('a', 50);
    pass(49);
    expect(rung).toEqual([]);
    pass(7);
    expect(rung).toEqual(['a']);
  });

  it('is told in the order of time', () => {
    wait('late', 100);
    wait('soon', 20);
    pass(200);
    expect(rung).toEqual(['soon', 'late']);
  });

  it('may wait longer than one turn of the wheel', () => {
    wait('a', 10_000);
    pass(9_990);
    expect(rung).toEqual([]);
    pass(20);
    expect(rung).toEqual(['a']);
  });

  it('is not told once it has left, though it were due with the one that ended it', () => {
    const second = (): Waiting => b;
    wait('a', 10, () => wheel.remove(second()));
    const b = wait('b', 10);
    pass(50);
    expect(rung).toEqual(['a']);
    wheel.remove(b);
  });

  it('may wait again when it is told', () => {
    const a = wait('a', 10, () => {
      if (rung.length > 1) return;
      a.dueMs = nowMs + 10;
      wheel.add(a);
    });
    pass(50);
    expect(rung).toEqual(['a', 'a']);
  });

  it('is told though its time is over already', () => {
    wait('a', -500);
    pass(10);
    expect(rung).toEqual(['a']);
  });

  it('is told after the process has slept for longer than a turn', () => {
    wait('a', 700);
    nowMs += 60_000;
    tick?.();
    expect(rung).toEqual(['a']);
  });

  it('costs a timer only while there is something', () => {
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
