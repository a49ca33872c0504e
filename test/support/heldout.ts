// Real encodings outside of the shipped model's training data, with their texts and labels.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dtypeOf } from '../../services/inputs/dtype.ts';

export interface HeldoutItem {
  readonly name: string;
  readonly text: string;
  readonly label: string;
  /** The label by a linear classifier that was trained on the same split. */
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
    const rowBytes = halves.subarray(row * index.dim * 2, (row + 1) * index.dim * 2);
    return { ...item, data: Buffer.from(dtypeOf('FP16').toFloats(rowBytes)) };
  });
}
