import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RouterError } from '../core/errors.ts';
import { type CpuClock, CpuGate } from './cpu-gate.ts';

let nowMs: number;
let idleMs: number;
let tick: () => void;
let gate: CpuGate;

const clock: CpuClock = {
  now: () => nowMs,
  idleMs: () => idleMs,
  every: (_ms, run) => {
    tick = run;
    return () => (tick = () => undefined);
  },
};

/** Turns of the loop, one after the other, each of which takes so long; in each, so many requests end. */
function turns(count: number, ms: number, { ended = 0, idle = 0 } = {}): void {
  for (let turn = 0; turn < count; turn += 1) {
    nowMs += ms;
    idleMs += idle;
    for (let each = 0; each < ended; each += 1) gate.ended();
    tick();
  }
}

const refusal = (inFlight: number, deadlineMs = 2_000): RouterError | undefined =>
  gate.refusal(inFlight, nowMs + deadlineMs);

beforeEach(() => {
  nowMs = 5_000;
  idleMs = 100;
  gate = new CpuGate(clock);
  gate.start();
});

describe('the CPU gate', () => {
  it('refuses nothing while the event loop keeps up, however busy it is', () => {
    turns(100, 25, { ended: 10 });
    expect([refusal(100_000), gate.limit]).toEqual([undefined, Infinity]);
  });

  it('refuses nothing for late turns of a loop that is idle at times, as of a garbage collection', () => {
    for (let each = 0; each < 20; each += 1) {
      turns(5, 20, { idle: 15 });
      turns(1, 300);
    }
    expect(gate.limit).toBe(Infinity);
  });

  it('refuses what may have waited as long as its caller does, and says why', () => {
    turns(10, 20);
    nowMs += 10_020;
    const refused = refusal(0);
    expect(refused).toMatchObject({ kind: 'ROUTER_FULL', retryAfterMs: 1_000 });
    expect(refused?.message).toBe(
      'this router has too little CPU: it stood still for 10000 ms, and your request may have waited as long; try again in 1000 ms, or give it more CPU',
    );
  });

  it('serves a caller that waits longer than the loop stood still', () => {
    turns(10, 20);
    nowMs += 10_020;
    expect([refusal(0, 9_000)?.kind, refusal(0, 11_000)]).toEqual(['ROUTER_FULL', undefined]);
    tick();
    expect([refusal(0, 9_000)?.kind, refusal(0, 11_000)]).toEqual(['ROUTER_FULL', undefined]);
  });

  it('refuses nothing for a deadline that has passed while the loop keeps up', () => {
    turns(10, 20);
    expect(refusal(0, -5)).toBeUndefined();
  });

  it('goes on to do so until all that has piled up is read', () => {
    nowMs += 10_000;
    tick();
    turns(1, 20);
    expect(refusal(0)?.message).toContain('it stood still for');
    turns(1, 20, { idle: 5 });
    expect([refusal(1_000), gate.limit]).toEqual([undefined, Infinity]);
  });

  it('but no longer than a second', () => {
    nowMs += 10_000;
    tick();
    turns(49, 20);
    expect(refusal(0)?.kind).toBe('ROUTER_FULL');
    turns(1, 20);
    expect(refusal(0)).toBeUndefined();
  });

  it('lets in as many as it ends in a tenth of a second while the loop is late and never idle', () => {
    turns(10, 100, { ended: 50 });
    expect([gate.limit, refusal(49)]).toEqual([50, undefined]);
    expect(refusal(50)).toMatchObject({ kind: 'ROUTER_FULL', retryAfterMs: 100 });
    expect(refusal(50)?.message).toContain('this router has too little CPU: it works on 50 requests');
  });

  it('notices a quota that lets it run for a quarter of the time', () => {
    for (let period = 0; period < 10; period += 1) {
      turns(1, 80, { ended: 10 });
      turns(1, 20, { ended: 10 });
    }
    expect(gate.limit).toBeLessThan(30);
  });

  it('makes an error once, not for each request that it refuses', () => {
    turns(10, 100, { ended: 10 });
    expect(refusal(100)).toBe(refusal(100));
  });

  it('always lets in a few, for nothing else shows that it can do more', () => {
    turns(100, 100);
    expect(refusal(3)).toBeUndefined();
  });

  it('lets in more and more once the loop keeps up, until nothing is held back', () => {
    turns(10, 100, { ended: 50 });
    turns(10, 20, { idle: 15 });
    expect(gate.limit).toBe(62.5);
    turns(1_000, 20, { idle: 15 });
    expect(gate.limit).toBe(Infinity);
  });

  it('refuses nothing when it has stopped, or never started', () => {
    gate.stop();
    nowMs += 60_000;
    expect([gate.refusal(1e6, nowMs + 1), new CpuGate(clock).refusal(1e6, nowMs + 1)]).toEqual([undefined, undefined]);
  });
});
