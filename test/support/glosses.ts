// WordNet definitions that are not in the training data of the shipped models, with their words.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Gloss {
  /** Example: "dog.n.01". */
  readonly name: string;
  readonly label: string;
  /** Example: "dog domestic dog Canis familiaris". */
  readonly words: string;
  readonly text: string;
  /** Of the test split; the others are of the validation split. */
  readonly isTest: boolean;
}

const FILE = join(import.meta.dirname, '../data/supersense/glosses.tsv');

export function readGlosses(): Gloss[] {
  const lines = readFileSync(FILE, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [split = '', name = '', label = '', words = '', text = ''] = line.split('\t');
    return { name, label, words, text, isTest: split === 'test' };
  });
}
