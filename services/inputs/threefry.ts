// Random words from a counter: Threefry-2x32-20 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), the
// generator that JAX uses. proto/NUMERICS.md, "Encoders": so any client can compute the same values.

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const ROUNDS = 20;
const PARITY = 0x1bd11bda;

/** The first word, uint32, of the block at this counter under this key; all of them uint32. */
export function randomWord(key0: number, key1: number, counter0: number, counter1: number): number {
  const keys = [key0 | 0, key1 | 0, key0 ^ key1 ^ PARITY] as const;
  let x0 = (counter0 + keys[0]) | 0;
  let x1 = (counter1 + keys[1]) | 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const bits = ROTATIONS[round % ROTATIONS.length]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << bits) | (x1 >>> (32 - bits))) ^ x0;
    if (round % 4 !== 3) continue;
    const group = (round + 1) / 4;
    x0 = (x0 + keys[group % 3]!) | 0;
    x1 = (x1 + keys[(group + 1) % 3]! + group) | 0;
  }
  return x0 >>> 0;
}
