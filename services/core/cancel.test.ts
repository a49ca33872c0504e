import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Call, deadlinePassed, isOver, throwIfCancelled } from './call.ts';
import { Cancel, sleep } from './cancel.ts';
import { RouterError } from './errors.ts';

const left = new RouterError('CANCELLED', 'the caller left');

/** Adds `count` listeners; `called` has the numbers of those that were called, in order. */
function listeners(signal: Cancel, count: number): { called: number[]; each: (() => void)[] } {
  const called: number[] = [];
  const each = Array.from({ length: count }, (_, n) => () => void called.push(n));
  for (const listener of each) signal.addEventListener('abort', listener);
  return { called, each };
}

describe('Cancel', () => {
  it('calls each listener once, in order, and keeps the first reason', () => {
    const cancel = new Cancel();
    const { called } = listeners(cancel, 3);
    expect([cancel.aborted, cancel.reason]).toEqual([false, undefined]);
    cancel.abort(left);
    cancel.abort(new RouterError('DRAINING', 'too late'));
    expect([called, cancel.aborted, cancel.reason]).toEqual([[0, 1, 2], true, left]);
  });

  it.each([0, 1, 2])('does not call a removed listener (number %i)', (removed) => {
    const cancel = new Cancel();
    const { called, each } = listeners(cancel, 3);
    cancel.removeEventListener('abort', each[removed]!);
    cancel.abort(left);
    expect(called).toEqual([0, 1, 2].filter((n) => n !== removed));
  });

  it('does not call a listener that another listener removes', () => {
    const cancel = new Cancel();
    const called: string[] = [];
    const second = (): void => void called.push('second');
    cancel.addEventListener('abort', () => cancel.removeEventListener('abort', second));
    cancel.addEventListener('abort', second);
    cancel.abort(left);
    expect(called).toEqual([]);
  });

  it('does not call a listener that is added after the abort', () => {
    const cancel = new Cancel();
    cancel.abort(left);
    expect(listeners(cancel, 1).called).toEqual([]);
  });
});

describe('sleep', () => {
  it('ends after its time', async () => {
    const cancel = new Cancel();
    await sleep(1, cancel);
    expect(cancel.aborted).toBe(false);
  });

  it('ends at once if it is cancelled, before or during the wait', async () => {
    const cancel = new Cancel();
    const sleeping = sleep(60_000, cancel);
    cancel.abort(left);
    await sleeping;
    await sleep(60_000, cancel);
  });

  it('removes its listener', async () => {
    const { signal } = new AbortController();
    await sleep(1, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('Call', () => {
  it('is over if it is cancelled or if its deadline has passed', () => {
    const call = new Call(Infinity);
    expect([isOver(call), isOver(new Call(performance.now() - 1))]).toEqual([false, true]);
    throwIfCancelled(call);
    call.abort(left);
    expect(isOver(call)).toBe(true);
    expect(() => throwIfCancelled(call)).toThrow(left);
  });

  it('names in the error what the deadline came before', () => {
    const { kind, message } = deadlinePassed('the answer was ready');
    expect([kind, message]).toEqual(['DEADLINE_EXCEEDED', 'the deadline passed before the answer was ready']);
  });
});
