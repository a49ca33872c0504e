import { beforeEach, describe, expect, it, test } from '@jest/globals';
import { ReadTurns, type TurnTaker } from './read-turns.ts';

let nowMs: number;
let immediates: (() => void)[];
let timers: { readonly atMs: number; readonly run: () => void }[];
let turns: ReadTurns;
/** The end of the pause of each owner. */
let rests: Map<string, number>;
/** The owners in the order in which they read. */
let order: string[];

beforeEach(() => {
  [nowMs, immediates, timers, order] = [0, [], [], []];
  rests = new Map();
  turns = new ReadTurns({
    now: () => nowMs,
    afterOthers: (run) => immediates.push(run),
    after: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.push(timer);
      return () => void (timers = timers.filter((each) => each !== timer));
    },
  });
});

/** Runs the immediates of the event loop once. */
function nextTurn(): void {
  const now = immediates;
  immediates = [];
  for (const run of now) run();
}

/** Advances the time to the next timer and runs the immediates of the event loop. */
function nextTimer(): void {
  const { atMs, run } = timers.shift()!;
  nowMs = Math.max(nowMs, atMs);
  run();
  nextTurn();
}

/** A connection with `workMs` of work, in pieces of 0.05 ms. Each piece pauses its owner for `restMs`. */
function connection(owner: string, workMs: number, restMs = 0): TurnTaker {
  let leftMs = workMs;
  const taker = {
    owner,
    get restsUntilMs() {
      return rests.get(owner) ?? 0;
    },
    readOn: () => {
      order.push(owner);
      while (leftMs > 1e-9) {
        nowMs += 0.05;
        leftMs -= 0.05;
        if (restMs > 0) rests.set(owner, Math.max(rests.get(owner) ?? 0, nowMs) + restMs);
        if (turns.isOver(taker) && leftMs > 1e-9) {
          turns.wait(taker);
          return;
        }
      }
    },
  };
  return taker;
}

function arrive(taker: TurnTaker): void {
  if (turns.begin(taker)) taker.readOn();
}

test('a single owner reads without a pause', () => {
  arrive(connection('a', 100));
  expect([order, immediates]).toEqual([['a'], []]);
});

test('an owner waits only for a part of the data of another owner', () => {
  arrive(connection('b', 0.05));
  for (let each = 0; each < 50; each += 1) arrive(connection('a', 10));
  const beganMs = nowMs;
  arrive(connection('b', 0.05));
  order = [];
  nextTurn();
  expect(order.indexOf('b')).toBe(1);
  expect(nowMs - beganMs).toBeLessThan(1.2);
});

test('one turn of the event loop reads for one slice of time', () => {
  arrive(connection('b', 0.05));
  for (let each = 0; each < 50; each += 1) arrive(connection('a', 10));
  const beganMs = nowMs;
  nextTurn();
  expect(nowMs - beganMs).toBeGreaterThanOrEqual(1);
  expect(nowMs - beganMs).toBeLessThan(1.2);
});

test('all waiting data is read, alternating between owners', () => {
  arrive(connection('b', 0.05));
  for (const owner of ['a', 'c', 'a']) arrive(connection(owner, 3));
  order = [];
  for (let turn = 0; immediates.length > 0; turn += 1) nextTurn();
  expect(order.slice(0, 4)).toEqual(['a', 'c', 'a', 'c']);
  expect(nowMs).toBeGreaterThanOrEqual(9);
});

test('an owner reads without a pause if the other was silent for a second', () => {
  arrive(connection('b', 0.05));
  arrive(connection('a', 0.05));
  nextTurn();
  nowMs += 1_001;
  arrive(connection('a', 100));
  expect([order.at(-1), immediates]).toEqual(['a', []]);
});

describe('a paused owner', () => {
  it('is not read before its pause ends, and then continues', () => {
    arrive(connection('a', 0.15, 10));
    expect([order, nowMs]).toEqual([['a'], 0.05]);
    nextTimer();
    nextTimer();
    expect(order).toEqual(['a', 'a', 'a']);
    expect(nowMs).toBeCloseTo(20.15);
  });

  it('is paused on all of its connections', () => {
    for (let each = 0; each < 5; each += 1) arrive(connection('a', 0.05, 10));
    expect(order).toEqual(['a']);
    nextTimer();
    expect(order).toEqual(['a', 'a']);
  });

  it('does not delay another owner', () => {
    for (let each = 0; each < 5; each += 1) arrive(connection('a', 1, 10));
    order = [];
    const beganMs = nowMs;
    arrive(connection('b', 0.05));
    expect([order, nowMs - beganMs]).toEqual([['b'], expect.closeTo(0.05)]);
  });

  it('uses no turns of the event loop during its pause', () => {
    for (let each = 0; each < 5; each += 1) arrive(connection('a', 1, 10));
    nextTurn();
    expect([immediates.length, timers.length]).toEqual([0, 1]);
  });

  it('waits only for its own pause, not for that of another owner', () => {
    arrive(connection('a', 0.1, 5_000));
    arrive(connection('b', 0.1, 10));
    order = [];
    nextTimer();
    expect([order, timers.length]).toEqual([['b'], 1]);
  });
});
