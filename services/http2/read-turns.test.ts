import { beforeEach, expect, test } from '@jest/globals';
import { ReadTurns, type TurnTaker } from './read-turns.ts';

let nowMs: number;
let immediates: (() => void)[];
let turns: ReadTurns;
/** Names, in the order in which they read. */
let order: string[];

beforeEach(() => {
  [nowMs, immediates, order] = [0, [], []];
  turns = new ReadTurns({ now: () => nowMs, afterOthers: (run) => immediates.push(run) });
});

/** The event loop comes to its immediates, once. */
function nextTurn(): void {
  const now = immediates;
  immediates = [];
  for (const run of now) run();
}

/** A connection that has `workMs` of work, and does it in pieces of 0.05 ms. */
function connection(owner: string, workMs: number): TurnTaker {
  let leftMs = workMs;
  const taker = {
    owner,
    readOn: () => {
      order.push(owner);
      while (leftMs > 1e-9) {
        nowMs += 0.05;
        leftMs -= 0.05;
        if (turns.isOver && leftMs > 1e-9) {
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

test('one owner alone reads without a break', () => {
  arrive(connection('a', 100));
  expect([order, immediates]).toEqual([['a'], []]);
});

test('an owner waits for a part of what another has sent, not for all of it', () => {
  arrive(connection('b', 0.05));
  for (let each = 0; each < 50; each += 1) arrive(connection('a', 10));
  const beganMs = nowMs;
  arrive(connection('b', 0.05));
  order = [];
  nextTurn();
  expect(order.indexOf('b')).toBe(1);
  expect(nowMs - beganMs).toBeLessThan(1.2);
});

test('in one turn of the event loop there is one slice', () => {
  arrive(connection('b', 0.05));
  for (let each = 0; each < 50; each += 1) arrive(connection('a', 10));
  const beganMs = nowMs;
  nextTurn();
  expect(nowMs - beganMs).toBeGreaterThanOrEqual(1);
  expect(nowMs - beganMs).toBeLessThan(1.2);
});

test('all that waits is read in the end, the connections of one owner in turns', () => {
  arrive(connection('b', 0.05));
  for (const owner of ['a', 'c', 'a']) arrive(connection(owner, 3));
  order = [];
  for (let turn = 0; immediates.length > 0; turn += 1) nextTurn();
  expect(order.slice(0, 4)).toEqual(['a', 'c', 'a', 'c']);
  expect(nowMs).toBeGreaterThanOrEqual(9);
});

test('an owner whose rival has been gone for a second reads without a break again', () => {
  arrive(connection('b', 0.05));
  arrive(connection('a', 0.05));
  nextTurn();
  nowMs += 1_001;
  arrive(connection('a', 100));
  expect([order.at(-1), immediates]).toEqual(['a', []]);
});
