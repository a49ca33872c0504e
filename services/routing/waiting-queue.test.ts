import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { Waiter, WaitingQueue } from './waiting-queue.ts';

function waiterIn(queue: WaitingQueue, signal = new Cancel(), ended: unknown[] = []): Waiter {
  const onEnd = (waiter: Waiter, error: RouterError | undefined): void => {
    queue.remove(waiter);
    ended.push(error?.kind);
  };
  const waiter = new Waiter({ deadlineMs: Infinity, signal }, () => 0, onEnd);
  queue.add(waiter);
  return waiter;
}

describe('a waiting queue', () => {
  it('keeps the order in which requests came, wherever one leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 60 }), (steps) => {
        const queue = new WaitingQueue();
        let expected: Waiter[] = [];
        for (const step of steps) {
          const leaving = step < 4 ? expected[step] : undefined;
          if (leaving === undefined) expected.push(waiterIn(queue));
          else {
            leaving.end(undefined);
            expected = expected.filter((each) => each !== leaving);
            expect([leaving.previous, leaving.next]).toEqual([undefined, undefined]);
          }
        }
        const found: Waiter[] = [];
        for (let waiter = queue.first; waiter !== undefined; waiter = waiter.next) found.push(waiter);
        expect(found.length === expected.length && found.every((each, k) => each === expected[k])).toBe(true);
        expect(queue.length).toBe(expected.length);
      }),
    );
  });

  it('is left by a request whose caller leaves, with why', () => {
    const queue = new WaitingQueue();
    const signal = new Cancel();
    const ended: unknown[] = [];
    waiterIn(queue, signal, ended);
    signal.abort(new RouterError('CANCELLED', 'left'));
    expect([ended, queue.length]).toEqual([['CANCELLED'], 0]);
  });

  it('is not left again by one that may go on', () => {
    const queue = new WaitingQueue();
    const signal = new Cancel();
    const ended: unknown[] = [];
    waiterIn(queue, signal, ended).end(undefined);
    signal.abort(new RouterError('CANCELLED', 'left'));
    expect(ended).toEqual([undefined]);
  });
});
