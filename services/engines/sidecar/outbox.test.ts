import { describe, expect, it } from '@jest/globals';
import { InferItem, InferStreamRequest } from '../../generated/tandem/engine/v1/engine.ts';
import { Outbox, messageBytes } from './outbox.ts';

function item(id: number, bytes = 100): InferItem {
  return InferItem.fromPartial({ id: BigInt(id), model: 'm', shape: [bytes / 4], data: Buffer.alloc(bytes) });
}

/** All that is waiting, as messages. */
function takeAll(outbox: Outbox): { ids: number[]; cancelled: number; bytes: number }[] {
  const messages = [];
  while (!outbox.isEmpty) {
    const { items, cancelIds } = outbox.take();
    const bytes = InferStreamRequest.encode({ items, cancelIds, checksum: 1n }).finish().length;
    messages.push({ ids: items.map(({ id }) => Number(id)), cancelled: cancelIds.length, bytes });
  }
  return messages;
}

describe('what waits to be sent', () => {
  it('is gathered into one message', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 100; id += 1) outbox.add(item(id));
    expect(takeAll(outbox).map(({ ids }) => ids.length)).toEqual([100]);
  });

  it('is cut into messages of 256 items', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 300; id += 1) outbox.add(item(id));
    expect(takeAll(outbox).map(({ ids }) => ids.length)).toEqual([256, 44]);
  });

  it('is cut into messages that the engine accepts', () => {
    const outbox = new Outbox(10_000);
    for (let id = 1; id <= 50; id += 1) outbox.add(item(id, 1_000));
    const messages = takeAll(outbox);
    expect(messages.flatMap(({ ids }) => ids)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    expect(messages.map(({ ids }) => ids.length)).toEqual([9, 9, 9, 9, 9, 5]);
    expect(messages.every(({ bytes }) => bytes <= 10_000)).toBe(true);
  });

  it('lets a large item travel alone, not even with cancellations', () => {
    const outbox = new Outbox(4e6);
    for (let id = 1; id <= 1_500; id += 1) outbox.cancel(BigInt(id));
    outbox.add(item(2_000, 3e6));
    outbox.add(item(2_001));
    expect(takeAll(outbox).map(({ ids, cancelled }) => [ids, cancelled])).toEqual([
      [[], 1_000],
      [[], 500],
      [[2_000], 0],
      [[2_001], 0],
    ]);
  });

  it('can be taken back until it is sent, and cancelled after', () => {
    const outbox = new Outbox(4e6);
    outbox.add(item(1));
    outbox.add(item(2));
    expect(outbox.cancel(1n)).toBe(false);
    expect(takeAll(outbox)).toMatchObject([{ ids: [2], cancelled: 0 }]);
    expect(outbox.cancel(2n)).toBe(true);
    expect(takeAll(outbox)).toMatchObject([{ ids: [], cancelled: 1 }]);
  });

  it('is never larger than estimated', () => {
    const max = 2 ** 32 - 1;
    const largest = InferItem.fromPartial({
      ...{ id: 2n ** 64n - 1n, model: '\u20ac'.repeat(50), modelVersion: max, shape: Array<number>(8).fill(max) },
      ...{ data: Buffer.alloc(70_000), timeoutUs: 2n ** 64n - 1n, digestOnly: true, traceParent: Buffer.alloc(25) },
      ...{ traceLayers: true, detail: 2 },
    });
    const bytes = InferStreamRequest.encode({ items: [largest], cancelIds: [], checksum: 1n }).finish().length;
    expect(bytes).toBeLessThanOrEqual(messageBytes(largest));
    expect(messageBytes(largest) - bytes).toBeLessThan(32);
  });
});
