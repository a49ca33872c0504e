import { describe, expect, it } from '@jest/globals';
import { readoutDigest } from './readout-digest.ts';
import { xxh64 } from './xxh64.ts';

const TOTALS = { totalSpikes: 4n, synapticOperations: 2n ** 40n + 5n };

function littleEndian(bits: 32 | 64, ...values: bigint[]): Buffer {
  const bytes = Buffer.alloc((values.length * bits) / 8);
  for (const [k, value] of values.entries()) {
    if (bits === 32) bytes.writeUInt32LE(Number(value), 4 * k);
    else bytes.writeBigUInt64LE(value, 8 * k);
  }
  return bytes;
}

describe('readoutDigest', () => {
  // An answer with 8,189 outputs has 65,532 bytes, and one with 8,190 outputs is larger than the memory that is reused.
  it.each([1, 3, 8_189, 8_190, 20_000])('digests steps, counts, potentials and totals of %d outputs', (outputs) => {
    const spikeCounts = Array.from({ length: outputs }, (_, k) => (k * 7) % 16);
    const potentials = Buffer.from(Array.from({ length: 4 * outputs }, (_, k) => (k * 31) % 120));
    const bytes = Buffer.concat([
      littleEndian(32, 16n, ...spikeCounts.map(BigInt)),
      potentials,
      littleEndian(64, TOTALS.totalSpikes, TOTALS.synapticOperations),
    ]);
    expect(readoutDigest({ steps: 16, spikeCounts, potentials, ...TOTALS })).toBe(xxh64(bytes));
  });

  it('does not depend on the answer before', () => {
    const small = { steps: 16, spikeCounts: [3, 1], potentials: Buffer.alloc(8), ...TOTALS };
    const before = readoutDigest(small);
    readoutDigest({ steps: 99, spikeCounts: [9, 9, 9, 9], potentials: Buffer.alloc(16, 9), ...TOTALS });
    expect(readoutDigest(small)).toBe(before);
  });
});
