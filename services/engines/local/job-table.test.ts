import { describe, expect, it, jest } from '@jest/globals';
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import type { CallContext, Inference } from '../../core/inference.ts';
import { JobTable, type Pending } from './job-table.ts';

const JOB = { model: 'm/1', steps: 1 } as Pending['job'];
const DATA = { data: new Uint8Array(4) };

function add(table: JobTable, context: Partial<CallContext> = {}): ReturnType<JobTable['add']> {
  const added = table.add(JOB, DATA, 1, { deadlineMs: Infinity, signal: new Cancel(), ...context });
  added.answer.catch(() => undefined);
  return added;
}

describe('JobTable', () => {
  it('has no two jobs in one slot, though a slot is released twice', () => {
    const table = new JobTable(3);
    const first = add(table).pending.job.slot;
    table.release(first);
    table.release(first);
    expect(table.size).toBe(0);
    const slots = [add(table), add(table), add(table)].map(({ pending }) => pending.job.slot);
    expect([new Set(slots).size, table.isFull, table.size]).toEqual([3, true, 3]);
  });

  it('keeps the slot of a cancelled job until it is released, since the worker may still write there', async () => {
    const table = new JobTable(1);
    const signal = new Cancel();
    const { pending, answer } = add(table, { signal });
    signal.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(answer).rejects.toMatchObject({ kind: 'CANCELLED' });
    expect([table.isFull, table.flags[pending.job.slot], pending.settled]).toEqual([true, 1, true]);
    table.release(pending.job.slot);
    expect([table.isFull, table.get(pending.job.slot)]).toEqual([false, undefined]);
  });

  it('starts a job without the stop sign of the job before it in that slot', () => {
    const table = new JobTable(1);
    const signal = new Cancel();
    const { pending } = add(table, { signal });
    signal.abort(new RouterError('CANCELLED', 'the caller left'));
    table.release(pending.job.slot);
    add(table);
    expect(table.flags[pending.job.slot]).toBe(0);
  });

  it('ends a job at its deadline', async () => {
    const { answer } = add(new JobTable(1), { deadlineMs: performance.now() - 1 });
    await expect(answer).rejects.toMatchObject({ kind: 'DEADLINE_EXCEEDED' });
  });

  it('knows its jobs by their slots, the lowest first', () => {
    const table = new JobTable(2);
    expect([table.size, table.isFull]).toEqual([0, false]);
    const [first, second] = [add(table).pending, add(table).pending];
    expect([first.job.slot, second.job.slot, table.size, table.isFull]).toEqual([0, 1, 2, true]);
    expect([table.get(0), table.get(1)]).toEqual([first, second]);
    expect(first).toMatchObject({ job: JOB, data: DATA.data, state: new Uint8Array(0), version: 1, settled: false });
  });

  it('settles a job once, and then no longer listens to its caller', async () => {
    const signal = new Cancel();
    const removed: string[] = [];
    signal.removeEventListener = (type) => void removed.push(type);
    const table = new JobTable(1);
    const { pending, answer } = add(table, { signal, deadlineMs: performance.now() + 60_000 });
    pending.resolve({ steps: 7 } as Inference);
    pending.reject(new RouterError('ENGINE_LOST', 'later'));
    expect([await answer, pending.settled, removed]).toEqual([{ steps: 7 }, true, ['abort']]);
    signal.abort(new RouterError('CANCELLED', 'later'));
    expect(table.isFull).toBe(true);
  });

  it('rejects a job with the error of its engine, without a stop sign', async () => {
    const table = new JobTable(1);
    const { pending, answer } = add(table);
    pending.reject(new RouterError('ENGINE_LOST', 'gone'));
    await expect(answer).rejects.toMatchObject({ kind: 'ENGINE_LOST' });
    expect(table.flags[0]).toBe(0);
  });

  it('sets the stop sign at the deadline, and no earlier', async () => {
    jest.useFakeTimers();
    try {
      const table = new JobTable(2);
      const deadlineMs = performance.now() + 50;
      const { answer } = add(table, { deadlineMs });
      add(table, { deadlineMs: performance.now() + 2 ** 31 }); // more than a timer takes
      expect(jest.getTimerCount()).toBe(1);
      jest.advanceTimersByTime(49);
      expect([...table.flags]).toEqual([0, 0]);
      jest.advanceTimersByTime(1);
      await expect(answer).rejects.toMatchObject({ kind: 'DEADLINE_EXCEEDED' });
      expect([...table.flags]).toEqual([1, 0]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('keeps no timer of a job that is settled', () => {
    jest.useFakeTimers();
    try {
      add(new JobTable(1), { deadlineMs: performance.now() + 50 }).pending.resolve({} as Inference);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('ends a job at once if its caller has left before', async () => {
    const signal = new Cancel();
    signal.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(add(new JobTable(1), { signal }).answer).rejects.toMatchObject({ kind: 'CANCELLED' });
  });
});
