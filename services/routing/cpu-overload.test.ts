import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RouterError } from '../core/errors.ts';
import { CpuOverload, type LoopClock } from './cpu-overload.ts';

let nowMs: number;
let idleMs: number;
let tick: () => void;
let overload: CpuOverload;

const clock: LoopClock = {
  now: () => nowMs,
  idleMs: () => idleMs,
  every: (_intervalMs, run) => {
    tick = run;
    return () => (tick = () => undefined);
  },
};

/** Runs turns of the event loop of 20 ms each, for `forMs`. */
function turn(forMs: number, { endedPerTurn = 0, idlePerTurnMs = 0 } = {}): void {
  for (let passedMs = 0; passedMs < forMs; passedMs += 20) {
    nowMs += 20;
    idleMs += idlePerTurnMs;
    for (let each = 0; each < endedPerTurn; each += 1) overload.recordEnd();
    tick();
  }
}

const refusal = (inFlight: number, leftMs = 2_000): RouterError | undefined =>
  overload.refusal(inFlight, nowMs + leftMs);

beforeEach(() => {
  nowMs = 5_000;
  idleMs = 100;
  overload = new CpuOverload(clock);
  overload.start();
});

describe('CpuOverload, if the event loop is never idle,', () => {
  it('refuses nothing for one second', () => {
    turn(960, { endedPerTurn: 10 });
    expect(refusal(100_000)).toBeUndefined();
  });

  it('refuses a request if those in flight take over a quarter of its time', () => {
    turn(2_000, { endedPerTurn: 10 });
    expect(refusal(250)).toBeUndefined();
    const refused = refusal(251);
    expect(refused).toMatchObject({ kind: 'ROUTER_FULL', lack: 'CPU', retryAfterMs: 250 });
    expect(refused?.message).toBe(
      'the router has too little CPU: those in flight take about 502 ms; try again in 250 ms, or give the router more CPU',
    );
    expect([refusal(5_000, 40_000), refusal(5_001, 40_000)?.kind]).toEqual([undefined, 'ROUTER_FULL']);
  });

  it('refuses nothing if the requests in flight take 250 ms or less', () => {
    turn(2_000, { endedPerTurn: 10 });
    expect([refusal(125, 300), refusal(126, 300)?.kind]).toEqual([undefined, 'ROUTER_FULL']);
  });

  it('always allows 64 requests in flight', () => {
    turn(900, { endedPerTurn: 1 });
    turn(2_000);
    expect([refusal(63), refusal(64)?.kind]).toEqual([undefined, 'ROUTER_FULL']);
  });

  it('refuses nothing before the first request has ended', () => {
    turn(2_000);
    expect(refusal(100_000)).toBeUndefined();
  });

  it('refuses nothing once the loop is idle again', () => {
    turn(2_000, { endedPerTurn: 10 });
    turn(300, { endedPerTurn: 10, idlePerTurnMs: 5 });
    expect(refusal(100_000)).toBeUndefined();
  });
});

describe('CpuOverload, if the event loop is sometimes idle,', () => {
  it('refuses nothing for any number of requests in flight', () => {
    turn(10_000, { endedPerTurn: 10, idlePerTurnMs: 1 });
    expect(refusal(100_000)).toBeUndefined();
  });

  it('refuses nothing after a pause of half a second', () => {
    turn(100, { idlePerTurnMs: 15 });
    nowMs += 500;
    expect(refusal(0, 100)).toBeUndefined();
  });
});

describe('CpuOverload, after the event loop stood still,', () => {
  beforeEach(() => {
    turn(200, { idlePerTurnMs: 15 });
    nowMs += 10_020;
  });

  it('refuses requests that may have waited for their whole timeout', () => {
    const refused = refusal(0, 10_000);
    expect(refused).toMatchObject({ kind: 'ROUTER_FULL', lack: 'CPU', retryAfterMs: 1_000 });
    expect(refused?.message).toBe(
      'the router has too little CPU: it stood still for 10000 ms, and your request may have waited as long; try again in 1000 ms, or give the router more CPU',
    );
    tick();
    expect(refusal(0, 10_000)?.kind).toBe('ROUTER_FULL');
  });

  it('allows requests with a longer timeout', () => {
    expect(refusal(0, 10_001)).toBeUndefined();
    tick();
    expect(refusal(0, 10_001)).toBeUndefined();
  });

  it('allows all requests once the loop is idle, or after a second', () => {
    tick();
    turn(20, { idlePerTurnMs: 1 });
    expect(refusal(0)).toBeUndefined();
    nowMs += 10_020;
    tick();
    turn(980);
    expect(refusal(0)?.kind).toBe('ROUTER_FULL');
    turn(20);
    expect(refusal(0)).toBeUndefined();
  });
});

it('CpuOverload refuses nothing before start and after stop', () => {
  const fresh = new CpuOverload(clock);
  nowMs += 60_000;
  expect(fresh.refusal(100_000, nowMs)).toBeUndefined();
  overload.stop();
  nowMs += 60_000;
  expect(overload.refusal(0, nowMs)).toBeUndefined();
});

it('CpuOverload has one timer from start to stop', () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  const real = new CpuOverload();
  const timers = [jest.getTimerCount()];
  real.start();
  timers.push(jest.getTimerCount());
  jest.advanceTimersByTime(1_000);
  expect(real.refusal(0, performance.now() + 10)).toBeUndefined();
  real.stop();
  timers.push(jest.getTimerCount());
  jest.useRealTimers();
  expect(timers).toEqual([0, 1, 0]);
});
