import { beforeEach, describe, expect, it, test } from '@jest/globals';
import { ReadTurns, type TurnTaker } from './read-turns.ts';

let nowMs: number;
let immediates: (() => void)[];
let timers: { readonly atMs: number; readonly run: () => void }[];
let turns: ReadTurns;
/** The end of the pause of each owner. */
let rests: Map<string, number>;
/** The owners of connections in the order in which they read. */
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

/** A connection with `workMs` of work, in pieces of 0.05 ms. Each piece pauses its owner for `restMs`. `name`: in `order`. */
function connection(owner: string, workMs: number, restMs = 0, name = owner): TurnTaker {
  let leftMs = workMs;
  const taker = {
    owner,
    get restsUntilMs() {
      return rests.get(owner) ?? 0;
    },
    readOn: () => {
      order.push(name);
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

test('a single connection reads without a pause', () => {
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

test('a connection reads without a pause if the others were silent for a second', () => {
  const [a, b] = [connection('a', 0.05), connection('b', 0.05)];
  arrive(b);
  arrive(a);
  nextTurn();
  nowMs += 1_001;
  arrive(a);
  expect([order.at(-1), immediates]).toEqual(['a', []]);
});

describe('several connections of one owner', () => {
  /** Starts `count` connections of owner "a" with much data. Each has read once afterwards. */
  function busy(count: number): void {
    const all = Array.from({ length: count }, () => connection('a', 10));
    for (const each of all) arrive(each);
    for (let turn = 0; order.length < count; turn += 1) nextTurn();
  }

  it('take turns', () => {
    arrive(connection('a', 0.05));
    for (const name of ['first', 'second']) arrive(connection('a', 1, 0, name));
    for (let turn = 0; immediates.length > 0; turn += 1) nextTurn();
    expect(order.slice(1, 6)).toEqual(['first', 'second', 'first', 'second', 'first']);
  });

  it('do not make one that has not begun wait for all that go on', () => {
    busy(50);
    const beganMs = nowMs;
    arrive(connection('a', 0.05, 0, 'other'));
    order = [];
    nextTurn();
    expect(order.indexOf('other')).toBeLessThanOrEqual(1);
    expect(nowMs - beganMs).toBeLessThan(1.2);
  });

  it('let one that goes on read, however many begin', () => {
    arrive(connection('a', 10, 0, 'large'));
    const large = connection('a', 10, 0, 'large');
    arrive(large);
    for (let turn = 0; turn < 20; turn += 1) {
      for (let each = 0; each < 10; each += 1) arrive(connection('a', 0.25, 0, 'small'));
      nextTurn();
    }
    const shares = order.slice(-20).filter((each) => each === 'large').length;
    expect(shares).toBeGreaterThanOrEqual(9);
  });
});

test('the promises of what one connection has read settle before the next one reads', () => {
  arrive(connection('b', 0.05));
  for (const owner of ['a', 'b', 'c']) arrive(connection(owner, 10));
  order = [];
  const [nextSlice, ...parts] = immediates;
  immediates = [];
  nextSlice!();
  expect(order).toHaveLength(1);
  parts[0]!();
  expect(order).toHaveLength(2);
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
