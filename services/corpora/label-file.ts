// The labels of a corpus's passages, in a file beside it. The first line names the model; each other line has a
// passage's key and its label. Lines are appended, so labels survive if the process ends at any moment.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '../config/regular-file.ts';

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const KEY_DIGITS = 32;
const lineSchema = z.tuple([z.string(), z.string()]);

/** Key of a passage, from its text alone: an unchanged passage keeps its label. */
export function passageKey(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, KEY_DIGITS);
}

export class LabelFile {
  readonly #file: string;
  #model = '';
  #labels = new Map<string, string>();
  /** Whether the last line of the file is complete. */
  #isComplete = true;

  /** A missing or damaged file has no labels. An incomplete last line is ignored. */
  constructor(file: string) {
    this.#file = file;
    let text: string;
    try {
      text = readRegularFile(file, MAX_FILE_BYTES).toString();
    } catch {
      return;
    }
    this.#isComplete = text.endsWith('\n');
    for (const line of text.split('\n')) {
      const parsed = parse(line);
      if (parsed === undefined) continue;
      if (parsed[0] === '') this.#model = parsed[1];
      else this.#labels.set(...parsed);
    }
  }

  /** The model of the labels, "name/version". Empty: there are none. */
  get model(): string {
    return this.#model;
  }

  /** Undefined: unknown. Empty: the model cannot label this passage. */
  get(key: string): string | undefined {
    return this.#labels.get(key);
  }

  /** Labels of another model are dropped. Throws if the file cannot be written. */
  add(model: string, labels: readonly (readonly [key: string, label: string])[]): void {
    if (this.#model !== model) {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(this.#file, lineOf('', model), { mode: 0o600 });
      this.#model = model;
      this.#labels = new Map();
      this.#isComplete = true;
    }
    const lines = labels.map((each) => lineOf(...each)).join('');
    appendFileSync(this.#file, this.#isComplete ? lines : `\n${lines}`);
    this.#isComplete = true;
    for (const [key, label] of labels) this.#labels.set(key, label);
  }
}

function lineOf(key: string, label: string): string {
  return `${JSON.stringify([key, label])}\n`;
}

function parse(line: string): [string, string] | undefined {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
