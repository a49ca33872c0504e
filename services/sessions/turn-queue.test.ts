import { describe, expect, it, jest } from '@jest/globals';
import { Cancel } from '../core/cancel.ts';
import { RouterError } from '../core/errors.ts';
import { TurnQueue } from './turn-queue.ts';

const patient = (): { deadlineMs: number; signal: Cancel } => ({ deadlineMs: Infinity, signal: new Cancel() });

describe('TurnQueue', () => {
  it('gives turns in order of arrival', async () => {
    const turns = new TurnQueue();
    const order: number[] = [];
    expect(turns.enter(patient())).toBeUndefined();
    const waiting = [1, 2, 3].map((n) => turns.enter(patient())!.then(() => order.push(n)));
    expect(turns.length).toBe(4);
    for (const [n, each] of waiting.entries()) {
      turns.leave();
      await each;
      expect(order).toEqual([1, 2, 3].slice(0, n + 1));
    }
    turns.leave();
    expect(turns.length).toBe(0);
  });

  it('skips a message whose caller has left', async () => {
    const turns = new TurnQueue();
    void turns.enter(patient());
    const gone = patient();
    const first = turns.enter(gone)!;
    const second = turns.enter(patient())!;
    gone.signal.abort(new RouterError('CANCELLED', 'left'));
    await expect(first).rejects.toMatchObject({ kind: 'CANCELLED' });
    turns.leave();
    await second;
    expect(turns.length).toBe(1);
  });

  it('fails a message at its deadline', async () => {
    jest.useFakeTimers();
    try {
      const turns = new TurnQueue();
      void turns.enter(patient());
      const late = turns.enter({ ...patient(), deadlineMs: performance.now() + 50 })!;
      const end = expect(late).rejects.toMatchObject({ kind: 'DEADLINE_EXCEEDED' });
      jest.advanceTimersByTime(51);
      await end;
      expect(turns.length).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });
});
