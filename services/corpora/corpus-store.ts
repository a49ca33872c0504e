// Corpora on disk: a folder with a file "<name>.jsonl" for each; its lines are passages. A file is replaced as a whole,
// so a reader never sees a partial one.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '../config/regular-file.ts';
import { CorpusError } from './corpus-error.ts';
import { MAX_CORPORA, MAX_CORPUS_BYTES, MAX_DOCUMENTS, MAX_PASSAGES } from './limits.ts';
import { passagesOf } from './passages.ts';
import type { Document } from './read-documents.ts';

export interface StoredPassage {
  readonly document: string;
  readonly text: string;
}

export interface CorpusSummary {
  readonly name: string;
  readonly documents: number;
  readonly passages: number;
  readonly bytes: number;
}

const ENDING = '.jsonl';
const LABEL_ENDING = '.labels';
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const passageSchema = z.strictObject({ document: z.string(), text: z.string() });

export class CorpusStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Sorted. */
  names(): string[] {
    let entries: string[];
    try {
      entries = readdirSync(this.#dir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new CorpusError(`cannot read ${this.#dir}: ${(error as Error).message}`, { cause: error });
    }
    const names = entries.filter((entry) => entry.endsWith(ENDING)).map((entry) => entry.slice(0, -ENDING.length));
    return names.filter((name) => NAME.test(name)).sort();
  }

  /** Changes with every change of the corpus; undefined: there is no such corpus. */
  stamp(name: string): string | undefined {
    if (!NAME.test(name)) return undefined;
    const stats = statSync(this.#file(name), { throwIfNoEntry: false, bigint: true });
    return stats && `${stats.ino} ${stats.mtimeNs} ${stats.size}`;
  }

  /** Throws CorpusError if there is no such corpus or its file is damaged. */
  read(name: string): StoredPassage[] {
    if (this.stamp(name) === undefined) {
      throw new CorpusError(`there is no corpus "${name}"; there are: ${this.names().join(', ') || 'none'}`);
    }
    const file = this.#file(name);
    const lines = readRegularFile(file, MAX_CORPUS_BYTES * 2)
      .toString()
      .split('\n')
      .filter(Boolean);
    return lines.map((line, index) => {
      try {
        return passageSchema.parse(JSON.parse(line));
      } catch (error) {
        const what = `${file}: line ${index + 1} is damaged; remove the corpus and add its documents again`;
        throw new CorpusError(what, { cause: error });
      }
    });
  }

  summary(name: string): CorpusSummary {
    const passages = this.read(name);
    const bytes = passages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    return {
      name,
      documents: new Set(passages.map(({ document }) => document)).size,
      passages: passages.length,
      bytes,
    };
  }

  /** Replaces documents with the same name, and keeps the others. Throws CorpusError. */
  add(name: string, documents: readonly Document[]): CorpusSummary {
    if (!NAME.test(name)) {
      throw new CorpusError(`"${name.slice(0, 80)}" is no name for a corpus; use 1 to 64 letters, digits, "-" and "_"`);
    }
    const exists = this.stamp(name) !== undefined;
    if (!exists && this.names().length >= MAX_CORPORA) {
      throw new CorpusError(`there are ${MAX_CORPORA} corpora, the limit; remove one`);
    }
    const replaced = new Set(documents.map((document) => document.name));
    const kept = exists ? this.read(name).filter(({ document }) => !replaced.has(document)) : [];
    const added = documents.flatMap((each) => passagesOf(each.text).map((text) => ({ document: each.name, text })));
    const passages = [...kept, ...added];
    if (passages.length === 0) throw new CorpusError('the documents have no text; name others');
    check(passages);
    this.#write(name, passages);
    return this.summary(name);
  }

  /** Throws CorpusError if there is no such corpus. */
  remove(name: string): void {
    if (this.stamp(name) === undefined) this.read(name);
    rmSync(this.#file(name));
    rmSync(this.labelFile(name), { force: true });
  }

  /** Path of the file with the labels of a corpus. */
  labelFile(name: string): string {
    return join(this.#dir, `${name}${LABEL_ENDING}`);
  }

  #file(name: string): string {
    return join(this.#dir, `${name}${ENDING}`);
  }

  #write(name: string, passages: readonly StoredPassage[]): void {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    const part = join(this.#dir, `.${name}.${process.pid}.part`);
    const file = openSync(part, 'w', 0o600);
    try {
      for (const passage of passages) writeSync(file, `${JSON.stringify(passage)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, this.#file(name));
  }
}

function check(passages: readonly StoredPassage[]): void {
  const documents = new Set(passages.map(({ document }) => document)).size;
  const bytes = passages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const limits = [
    [documents, MAX_DOCUMENTS, 'documents'],
    [passages.length, MAX_PASSAGES, 'passages'],
    [bytes, MAX_CORPUS_BYTES, 'bytes'],
  ] as const;
  for (const [found, limit, what] of limits) {
    if (found > limit)
      throw new CorpusError(`the corpus would have ${found} ${what}, the limit is ${limit}; make several`);
  }
}
