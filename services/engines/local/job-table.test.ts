import { describe, expect, it } from '@jest/globals';
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
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

  it('ends a job at once if its caller has left before', async () => {
    const signal = new Cancel();
    signal.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(add(new JobTable(1), { signal }).answer).rejects.toMatchObject({ kind: 'CANCELLED' });
  });
});
