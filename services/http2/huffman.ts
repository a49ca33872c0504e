// The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B), read four bits at a time.
//
// The code is canonical: the lengths of its codes give the codes. A state is a node of the code's tree. The shortest code
// has 5 bits, so four bits end at most one symbol.
import { ConnectionError, ErrorCode } from './error-codes.ts';

// prettier-ignore
const CODE_BITS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const END_OF_STRING = 256;
const LONGEST_PADDING_BITS = 7;

const EMITS = 0x100;
const FAILS = 0x200;
const STATE_SHIFT = 10;

/** At state * 16 + bits: the symbol (8 bits), EMITS if one has ended, FAILS if it is the end of string, the next state. */
const STEPS = new Int32Array(256 * 16);
/** 1 for each state that is reached by at most 7 one bits: a string may end there. */
const MAY_END = new Uint8Array(256);

buildTables();

/** Node n of the tree has children tree[2n] and tree[2n + 1]: a node (> 0), or a leaf (-1 - symbol). */
function buildTree(): Int32Array {
  const tree = new Int32Array(512);
  let nodes = 1;
  let code = 0;
  for (let bits = 5; bits <= 30; bits++, code *= 2) {
    for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
      if (CODE_BITS[symbol] !== bits) continue;
      let node = 0;
      for (let bit = bits - 1; bit > 0; bit--) {
        const branch = 2 * node + ((code >>> bit) & 1);
        if (tree[branch] === 0) tree[branch] = nodes++;
        node = tree[branch]!;
      }
      tree[2 * node + (code & 1)] = -1 - symbol;
      code++;
    }
  }
  return tree;
}

function buildTables(): void {
  const tree = buildTree();
  for (let state = 0; state < 256; state++) {
    for (let bits = 0; bits < 16; bits++) STEPS[state * 16 + bits] = step(tree, state, bits);
  }
  for (let node = 0, ones = 0; ones <= LONGEST_PADDING_BITS; ones++, node = tree[2 * node + 1]!) MAY_END[node] = 1;
}

function step(tree: Int32Array, state: number, bits: number): number {
  let node = state;
  let result = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = tree[2 * node + ((bits >>> bit) & 1)]!;
    if (next === -1 - END_OF_STRING) return FAILS;
    if (next < 0) result = EMITS | (-1 - next);
    node = Math.max(0, next);
  }
  return result | (node << STATE_SHIFT);
}

/** Kept from call to call; a string is copied out of it at once. */
let scratch = Buffer.allocUnsafeSlow(1024);

/** Decodes buffer[start, end). Throws COMPRESSION_ERROR. */
export function decodeHuffman(buffer: Buffer, start: number, end: number): string {
  const most = Math.floor(((end - start) * 8) / 5) + 1;
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most * 2);
  const output = scratch;
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    const first = STEPS[(state << 4) | (byte >>> 4)]!;
    if (first & EMITS) output[length++] = first & 0xff;
    const second = STEPS[((first >>> STATE_SHIFT) << 4) | (byte & 15)]!;
    if (second & EMITS) output[length++] = second & 0xff;
    if ((first | second) & FAILS) throw invalid('it contains the end-of-string symbol');
    state = second >>> STATE_SHIFT;
  }
  if (MAY_END[state] === 0) throw invalid('its padding is not the beginning of the end-of-string symbol');
  return output.toString('latin1', 0, length);
}

function invalid(why: string): ConnectionError {
  return new ConnectionError(ErrorCode.COMPRESSION_ERROR, `a Huffman-coded string is invalid: ${why}`);
}
