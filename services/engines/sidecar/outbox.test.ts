import { describe, expect, it } from '@jest/globals';
import { fakeJob } from '../../../test/fakes/fake-job.ts';
import type { InferenceInput } from '../../core/inference.ts';
import type { OpenSpan } from '../../core/request-trace.ts';
import type { InferJob } from './infer-job.ts';
import { encodeRequest } from './infer-request.ts';
import { Outbox, messageBytes } from './outbox.ts';

function job(id: number, bytes = 100, over: Partial<InferenceInput> = {}): InferJob {
  return fakeJob(id, { model: 'm', version: 1, shape: [bytes / 4], data: Buffer.alloc(bytes), ...over });
}

/** Takes all that is waiting, as messages. */
function takeAll(outbox: Outbox): { ids: number[]; cancelled: number; bytes: number }[] {
  const messages = [];
  while (!outbox.isEmpty) {
    const { jobs, cancelIds } = outbox.take();
    const bytes = encodeRequest({ jobs, cancelIds }, 0n).length;
    messages.push({ ids: jobs.map(({ id }) => id), cancelled: cancelIds.length, bytes });
  }
  return messages;
}

describe('Outbox', () => {
  it('puts all waiting items into one message', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 100; id += 1) outbox.add(job(id));
    expect(takeAll(outbox).map(({ ids }) => ids.length)).toEqual([100]);
  });

  it('limits a message to 256 items', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 300; id += 1) outbox.add(job(id));
    expect(takeAll(outbox).map(({ ids }) => ids.length)).toEqual([256, 44]);
  });

  it('limits a message to the engine’s maximum size', () => {
    const outbox = new Outbox(10_000);
    for (let id = 1; id <= 50; id += 1) outbox.add(job(id, 1_000));
    const messages = takeAll(outbox);
    expect(messages.flatMap(({ ids }) => ids)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(messages.map(({ ids }) => ids.length)).toEqual([9, 9, 9, 9, 9, 5]);
    expect(messages.every(({ bytes }) => bytes <= 10_000)).toBe(true);
  });

  it.each([
    [0, [[1, 2]]],
    [1, [[1], [2]]],
  ])('fills a message up to the limit of the engine (%d bytes less)', (less, expected) => {
    const outbox = new Outbox(16 + job(1).maxBytes + job(2).maxBytes - less);
    outbox.add(job(1));
    outbox.add(job(2));
    expect(takeAll(outbox).map(({ ids }) => ids)).toEqual(expected);
  });

  it('fills a message up to 1 MiB, even if the engine accepts more', () => {
    const outbox = new Outbox(4e6);
    for (const id of [1, 2, 3]) outbox.add(job(id, 500_000));
    expect(takeAll(outbox).map(({ ids }) => ids)).toEqual([[1, 2], [3]]);
  });

  it.each([
    [0, [[[1], 2]]],
    [
      1,
      [
        [[], 2],
        [[1], 0],
      ],
    ],
  ])('counts ten bytes for each cancellation (%d bytes less)', (less, expected) => {
    const outbox = new Outbox(16 + 2 * 10 + job(1).maxBytes - less);
    for (const id of [7, 8]) outbox.cancel(job(id));
    outbox.add(job(1));
    expect(takeAll(outbox).map(({ ids, cancelled }) => [ids, cancelled])).toEqual(expected);
  });

  it('keeps the order of what it could not send', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 257; id += 1) outbox.add(job(id));
    outbox.take();
    outbox.add(job(258));
    expect([outbox.isEmpty, takeAll(outbox).map(({ ids }) => ids), outbox.isEmpty]).toEqual([
      false,
      [[257, 258]],
      true,
    ]);
  });

  it('sends a large item alone, without cancellations', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 1_500; id += 1) outbox.cancel(job(id));
    outbox.add(job(2_000, 3e6));
    outbox.add(job(2_001));
    expect(takeAll(outbox).map(({ ids, cancelled }) => [ids, cancelled])).toEqual([
      [[], 1_000],
      [[], 500],
      [[2_000], 0],
      [[2_001], 0],
    ]);
  });

  it('removes a cancelled item, or sends its cancellation if it was sent', () => {
    const outbox = new Outbox(4e6);
    const [first, second] = [job(1), job(2)];
    outbox.add(first);
    outbox.add(second);
    expect(outbox.cancel(first)).toBe(false);
    expect(takeAll(outbox)).toMatchObject([{ ids: [2], cancelled: 0 }]);
    expect(outbox.cancel(second)).toBe(true);
    expect(takeAll(outbox)).toMatchObject([{ ids: [], cancelled: 1 }]);
  });

  it('never underestimates the size of an item', () => {
    const max = 2 ** 32 - 1;
    const span = { toParentBytes: () => Buffer.alloc(25), asksForLayers: true } as unknown as OpenSpan;
    const input = { model: '\u20ac'.repeat(50), version: max, shape: Array<number>(8).fill(max), digestOnly: true };
    const whole = { ...input, data: Buffer.alloc(70_000), detail: 'RASTER' } as const;
    const largest = fakeJob(Number.MAX_SAFE_INTEGER, whole, { deadlineMs: 1e15, span });
    const { length } = encodeRequest({ jobs: [largest], cancelIds: [] }, 0n);
    expect(length).toBeLessThanOrEqual(messageBytes(largest));
    expect(messageBytes(largest) - length).toBeLessThan(40);
  });
});
