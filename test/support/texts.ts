// Texts made from the held-out ones: their words in another order, with unusual letters, signs and scripts.
import { Random } from '../fuzz/random.ts';
import { readHeldout } from './heldout.ts';

const STRANGE = [
  'Zürich',
  'ﬁsh',
  '東京',
  '😀',
  'İ',
  'ẞ',
  'a\u0301',
  '\u200d',
  'x'.repeat(150),
  '[UNK]',
  '##s',
  '«',
  '12.5%',
];

/** The same seed gives the same texts. */
export function randomTexts(count: number, seed: number): string[] {
  const random = new Random(seed);
  const words = readHeldout().flatMap(({ text }) => text.split(' '));
  const pick = (list: readonly string[]): string => list[random.integer(0, list.length - 1)]!;
  return Array.from({ length: count }, () => {
    const length = random.chance(0.02) ? random.integer(100, 400) : random.integer(1, 25);
    const text = Array.from({ length }, () => (random.chance(0.03) ? pick(STRANGE) : pick(words)));
    return text.join(random.chance(0.1) ? '\n' : ' ');
  });
}
