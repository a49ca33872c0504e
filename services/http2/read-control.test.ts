import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ReadControl } from './read-control.ts';
import type { ReadTurns, TurnTaker } from './read-turns.ts';

const taker: TurnTaker = { owner: 'ann', restsUntilMs: 0, readOn: () => undefined };

let mayBegin: boolean;
let waits: number;
let isPaused: boolean;
let control: ReadControl;

beforeEach(() => {
  [mayBegin, waits, isPaused] = [true, 0, false];
  const turns = { begin: () => mayBegin, isOver: () => false, wait: () => void (waits += 1) };
  const socket = { pause: () => (isPaused = true), resume: () => (isPaused = false) };
  control = new ReadControl(socket as unknown as Socket, taker, turns as unknown as ReadTurns);
});

describe('bytes that wait', () => {
  it('are a copy of a new chunk, since its memory is reused', () => {
    mayBegin = false;
    const chunk = Buffer.from('hello');
    expect(control.mayRead(chunk)).toBe(false);
    expect([control.storedBytes, isPaused]).toEqual([5, true]);
    chunk.fill('x');
    const { chunk: stored, at } = control.takeStored();
    expect([String(stored), at]).toEqual(['hello', -1]);
  });

  it('are the rest of a chunk that was read in part', () => {
    const chunk = Buffer.from('hello');
    control.postpone(chunk, 2);
    chunk.fill('x');
    expect([waits, isPaused, control.storedBytes]).toEqual([1, true, 3]);
    const { chunk: stored, at } = control.takeStored();
    expect([String(stored), at]).toEqual(['llo', 0]);
  });

  it('are not copied again each time', () => {
    control.postpone(Buffer.from('hello'), 2);
    const first = control.takeStored();
    control.postpone(first.chunk, 1);
    const second = control.takeStored();
    expect(second.chunk).toBe(first.chunk);
    expect(second.at).toBe(1);
  });

  it('are in memory that the next ones use again', () => {
    control.postpone(Buffer.from('hello'), 0);
    const first = control.takeStored().chunk;
    control.count(first.length);
    control.postpone(Buffer.from('world'), 0);
    const second = control.takeStored().chunk;
    expect([String(second), second.buffer]).toEqual(['world', first.buffer]);
  });

  it('keep their memory until all are read', () => {
    control.postpone(Buffer.from('hello'), 0);
    const { chunk } = control.takeStored();
    control.postpone(chunk, 2);
    const other = new ReadControl({ pause: () => undefined } as unknown as Socket, taker, {
      wait: () => undefined,
    } as unknown as ReadTurns);
    other.postpone(Buffer.from('world'), 0);
    expect(String(control.takeStored().chunk)).toBe('hello');
  });

  it('may be larger than that memory, as a chunk of TLS', () => {
    const large = Buffer.alloc(100_000, 7);
    control.postpone(large, 1);
    expect(control.takeStored().chunk.equals(large.subarray(1))).toBe(true);
  });

  it('are given up when they are read', () => {
    control.postpone(Buffer.from('hello'), 2);
    const { chunk } = control.takeStored();
    control.count(chunk.length);
    control.postpone(chunk, 0);
    expect(control.takeStored().chunk).not.toBe(chunk);
  });
});

it('a client reads at once', () => {
  control = new ReadControl({} as unknown as Socket, taker, undefined);
  expect([control.mayRead(Buffer.from('hello')), control.mustWait, control.storedBytes]).toEqual([true, false, 0]);
});
