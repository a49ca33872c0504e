import { describe, expect, it } from '@jest/globals';
import { Random } from '../../../test/fuzz/random.ts';
import { Arena } from './arena.ts';
import { StateChecksum } from './state-checksum.ts';

const MEMORY_BYTES = 1 << 20;

/** As proto/NUMERICS.md says it. */
function byTheBook(parts: readonly Int32Array[]): number {
  const h = new Uint32Array(8);
  for (const part of parts) {
    for (const [k, signed] of part.entries()) {
      const w = signed >>> 0;
      h[k % 8] = Math.imul(h[k % 8]!, 0xc2b2ae3d) + ((w ^ (w >>> 16)) >>> 0);
    }
  }
  return h.reduce((c, lane) => (Math.imul(c, 0x85ebca77) + lane) >>> 0, 0);
}

describe('the state checksum', () => {
  it('is that of the plain loop, whatever the length', () => {
    const arena = new Arena(MEMORY_BYTES);
    const checksum = new StateChecksum(arena);
    const random = new Random(1);
    for (let length = 1; length < 150; length += 1) {
      const [a, b] = [arena.ints(length), arena.ints(length)];
      for (const row of [a, b]) for (let k = 0; k < length; k += 1) row[k] = random.integer(-(2 ** 31), 2 ** 31 - 1);
      expect(checksum.compute([a]) >>> 0).toBe(byTheBook([a]));
      expect(checksum.compute([a, b]) >>> 0).toBe(byTheBook([a, b]));
    }
  });

  it('shows two signs that have changed', () => {
    const arena = new Arena(MEMORY_BYTES);
    const checksum = new StateChecksum(arena);
    const row = arena.ints(40);
    const before = checksum.compute([row]);
    row[3] = -(2 ** 31);
    row[11] = -(2 ** 31);
    expect(checksum.compute([row])).not.toBe(before);
  });
});
