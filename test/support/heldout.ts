// Real encodings that the shipped model never saw, with their texts and labels.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface HeldoutItem {
  readonly name: string;
  readonly text: string;
  readonly label: string;
  /** What a linear classifier, trained on the same split, says. */
  readonly linear_label: string;
  /** 768 numbers, little-endian binary32. */
  readonly data: Buffer;
}

const DIR = join(import.meta.dirname, '../data/supersense');

export function readHeldout(): HeldoutItem[] {
  const index = JSON.parse(readFileSync(join(DIR, 'heldout.json'), 'utf8')) as {
    dim: number;
    items: Omit<HeldoutItem, 'data'>[];
  };
  const halves = readFileSync(join(DIR, 'heldout.f16'));
  return index.items.map((item, row) => {
    const data = Buffer.alloc(index.dim * 4);
    for (let k = 0; k < index.dim; k += 1)
      data.writeFloatLE(toFloat(halves.readUInt16LE((row * index.dim + k) * 2)), k * 4);
    return { ...item, data };
  });
}

/** IEEE 754 binary16, exactly. */
function toFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
