// Decoded header blocks, by their bytes. Clients repeat their headers: a hit costs one look-up, and gives the layer
// above the same object, with what it has stored in `memo`.
//
// A block is kept only if it has not changed the dynamic table, and is found only while the table is unchanged. It is
// kept when it is seen for the second time, so that blocks that come only once do not fill the cache.
import type { HeaderBlock } from './header-block.ts';

const MOST_BLOCKS = 64;
const LONGEST_BLOCK = 512;
const SEEN = 256;

class Entry {
  readonly generation: number;
  readonly block: HeaderBlock;

  constructor(generation: number, block: HeaderBlock) {
    this.generation = generation;
    this.block = block;
  }
}

export class HeaderCache {
  readonly #entries = new Map<string, Entry>();
  /** Hashes of blocks that were seen once. Allocated with the first one. */
  #seen: Int32Array | undefined = undefined;
  #bytes = 0;
  /** What was found last, and its bytes. */
  #last: Entry | undefined = undefined;
  #lastBytes: Uint8Array | undefined = undefined;
  #lastLength = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get(buffer: Buffer, start: number, end: number, generation: number): HeaderBlock | undefined {
    if (this.#entries.size === 0 || end - start > LONGEST_BLOCK) return undefined;
    if (this.#isLast(buffer, start, end) && this.#last?.generation === generation) return this.#last.block;
    const entry = this.#entries.get(buffer.toString('latin1', start, end));
    if (entry?.generation !== generation) return undefined;
    this.#remember(entry, buffer, start, end);
    return entry.block;
  }

  /** Most often the same block comes again and again: then no key is made of its bytes. */
  #isLast(buffer: Buffer, start: number, end: number): boolean {
    const bytes = this.#lastBytes;
    if (bytes === undefined || this.#lastLength !== end - start) return false;
    for (let at = start; at < end; at++) if (bytes[at - start] !== buffer[at]) return false;
    return true;
  }

  #remember(entry: Entry, buffer: Buffer, start: number, end: number): void {
    this.#last = entry;
    this.#lastLength = end - start;
    this.#lastBytes ??= new Uint8Array(LONGEST_BLOCK);
    for (let at = start; at < end; at++) this.#lastBytes[at - start] = buffer[at]!;
  }

  offer(buffer: Buffer, start: number, end: number, generation: number, block: HeaderBlock): void {
    if (end - start > LONGEST_BLOCK || block.isTooLarge || !this.#isSecondSight(buffer, start, end)) return;
    if (this.#entries.size >= MOST_BLOCKS) {
      this.#entries.clear();
      this.#bytes = 0;
    }
    const key = buffer.toString('latin1', start, end);
    // Decoded, a block is at most its bytes times 8/5 and the names of the tables, which are shared.
    if (!this.#entries.has(key)) this.#bytes += 3 * key.length;
    this.#entries.set(key, new Entry(generation, block));
  }

  #isSecondSight(buffer: Buffer, start: number, end: number): boolean {
    let hash = 0x811c_9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ buffer[at]!, 0x0100_0193);
    this.#seen ??= new Int32Array(SEEN);
    const slot = (hash ^ (hash >>> 16)) & (SEEN - 1);
    if (this.#seen[slot] === hash) return true;
    this.#seen[slot] = hash;
    return false;
  }
}
