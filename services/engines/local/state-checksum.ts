// The state checksum of a node: proto/NUMERICS.md, "Recording".
import type { Arena } from './arena.ts';
import { arenaBytes } from './arena.ts';
import type { ChecksumKernel } from './checksum-kernel.ts';
import { CHECKSUM_BLOCK_BYTES, CHECKSUM_ROW_BYTES, FACTOR, FOLD_FACTOR, LANES } from './checksum-kernel.ts';

/** What a StateChecksum takes of its arena. */
export const CHECKSUM_ARENA_BYTES = arenaBytes(LANES);

/** Of arrays that lie in one arena. */
export class StateChecksum {
  readonly #lanes: Int32Array;
  readonly #kernel: ChecksumKernel;

  constructor(arena: Arena) {
    this.#lanes = arena.ints(LANES);
    this.#kernel = arena.checksums;
  }

  /** `parts`: the bits of the arrays, one after the other. */
  compute(parts: readonly Int32Array[]): number {
    const lanes = this.#lanes;
    lanes.fill(0);
    for (const part of parts) {
      const { byteOffset, byteLength, length } = part;
      const blocksEnd = byteOffset + byteLength - (byteLength % CHECKSUM_BLOCK_BYTES);
      const rowsEnd = byteOffset + byteLength - (byteLength % CHECKSUM_ROW_BYTES);
      this.#kernel.checksum(byteOffset, blocksEnd, rowsEnd, lanes.byteOffset);
      for (let lane = 0, k = length - (length % LANES); k < length; lane += 1, k += 1) {
        const word = part[k]!;
        lanes[lane] = Math.imul(lanes[lane]!, FACTOR) + (word ^ (word >>> 16));
      }
    }
    let checksum = 0;
    for (let lane = 0; lane < LANES; lane += 1) checksum = (Math.imul(checksum, FOLD_FACTOR) + lanes[lane]!) | 0;
    return checksum;
  }
}
