import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { Cancel } from '../core/cancel.ts';
import { Waiter, WaitingQueue } from './waiting-queue.ts';

const FLOOD = { name: 'flood' };
const OTHER = { name: 'other' };

function waiter(owner: object | undefined): Waiter {
  return new Waiter(
    { deadlineMs: Infinity, signal: new Cancel(), owner },
    () => 0,
    () => undefined,
  );
}

function drain(queue: WaitingQueue): Waiter[] {
  const served: Waiter[] = [];
  for (let first = queue.first; first !== undefined; first = queue.first) {
    served.push(first);
    queue.remove(first);
  }
  return served;
}

describe('WaitingQueue', () => {
  it('serves owners in turn, whatever the order of arrival', () => {
    const queue = new WaitingQueue();
    const flood = Array.from({ length: 100 }, () => waiter(FLOOD));
    const others = [waiter(OTHER), waiter(OTHER)];
    for (const each of flood) queue.add(each);
    expect([queue.ahead(others[0]!.context), queue.ahead(flood[0]!.context)]).toEqual([1, 100]);
    for (const each of others) queue.add(each);
    expect(drain(queue).slice(0, 5)).toEqual([flood[0], others[0], flood[1], others[1], flood[2]]);
  });

  it('keeps each owner’s order, loses no request, and counts those ahead', () => {
    const steps = fc.array(fc.record({ owner: fc.integer({ min: 0, max: 3 }), leaves: fc.nat(20) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (plan) => {
        const queue = new WaitingQueue();
        const owners = [undefined, FLOOD, OTHER, {}];
        let standing: Waiter[] = [];
        for (const { owner, leaves } of plan) {
          const added = waiter(owners[owner]);
          const ahead = queue.ahead(added.context);
          queue.add(added);
          standing.push(added);
          let index = 0;
          for (let each = queue.first; each !== added; each = each!.next) index += 1;
          expect(index).toBe(ahead);
          const leaving = standing[leaves];
          if (leaving === undefined) continue;
          queue.remove(leaving);
          standing = standing.filter((each) => each !== leaving);
        }
        expect(queue.length).toBe(standing.length);
        const served = drain(queue);
        for (const owner of owners) {
          const own = (all: readonly Waiter[]): Waiter[] => all.filter(({ context }) => context.owner === owner);
          expect(own(served)).toEqual(own(standing));
        }
        expect(queue.last).toBeUndefined();
      }),
    );
  });
});
