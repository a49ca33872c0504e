import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ReasonBatchRequest, ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { BatchCounter } from './batch-counter.ts';

function count(bytes: Uint8Array, chunkBytes: number): number {
  const counter = new BatchCounter();
  for (let at = 0; at < bytes.length; at += chunkBytes) counter.add(bytes.subarray(at, at + chunkBytes));
  return counter.items;
}

describe('BatchCounter', () => {
  it('counts the same items however the bytes are split', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 30 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 50 }), (items, chunkBytes) => {
        const requests = items.map((length) => ReasonRequest.fromPartial({ encoding: Array<number>(length).fill(1) }));
        expect(count(ReasonBatchRequest.encode({ requests }).finish(), chunkBytes)).toBe(items.length);
      }),
    );
  });

  it('stops counting at one item above the limit', () => {
    const counter = new BatchCounter();
    counter.add(Buffer.alloc(4_096, Uint8Array.of(0x0a, 0)), 3);
    expect(counter.items).toBe(4);
  });

  it('stops counting at a field that is not an item', () => {
    expect(count(Uint8Array.of(0x0a, 0, 0x10, 1, 0x0a, 0), 1)).toBe(1);
  });

  it('stops counting at an invalid length', () => {
    expect(count(Uint8Array.of(0x0a, 0, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x0a, 0), 3)).toBe(1);
  });
});
