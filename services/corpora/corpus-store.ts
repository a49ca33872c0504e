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
import {
  checkCorpusCount,
  checkCorpusName,
  checkCorpusSize,
  isCorpusName,
  missingCorpusError,
} from './corpus-limits.ts';
import type { CorpusSummary, DocumentStore } from './document-store.ts';
import { MAX_CORPUS_BYTES } from './limits.ts';
import { passagesOf } from './passages.ts';
import type { Document } from './read-documents.ts';

export interface StoredPassage {
  readonly document: string;
  readonly text: string;
}

const ENDING = '.jsonl';
const LABEL_ENDING = '.labels';
const passageSchema = z.strictObject({ document: z.string(), text: z.string() });

export class CorpusStore implements DocumentStore {
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
    return names.filter(isCorpusName).sort();
  }

  /** Changes with every change of the corpus; undefined: there is no such corpus. */
  stamp(name: string): string | undefined {
    if (!isCorpusName(name)) return undefined;
    const stats = statSync(this.#file(name), { throwIfNoEntry: false, bigint: true });
    return stats && `${stats.ino} ${stats.mtimeNs} ${stats.size}`;
  }

  has(name: string): boolean {
    return this.stamp(name) !== undefined;
  }

  /** Throws CorpusError if there is no such corpus or its file is damaged. */
  read(name: string): StoredPassage[] {
    if (!this.has(name)) throw missingCorpusError(name, this.names());
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
    return { name, ...sizeOf(this.read(name)) };
  }

  /** Replaces documents with the same name, and keeps the others. Throws CorpusError. */
  add(name: string, documents: readonly Document[]): CorpusSummary {
    checkCorpusName(name);
    const exists = this.has(name);
    if (!exists) checkCorpusCount(this.names().length + 1);
    const replaced = new Set(documents.map((document) => document.name));
    const kept = exists ? this.read(name).filter(({ document }) => !replaced.has(document)) : [];
    const added = documents.flatMap((each) => passagesOf(each.text).map((text) => ({ document: each.name, text })));
    const passages = [...kept, ...added];
    checkCorpusSize(sizeOf(passages));
    this.#write(name, passages);
    return this.summary(name);
  }

  /** Throws CorpusError if there is no such corpus. */
  remove(name: string): void {
    if (!this.has(name)) throw missingCorpusError(name, this.names());
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

function sizeOf(passages: readonly StoredPassage[]): Omit<CorpusSummary, 'name'> {
  return {
    documents: new Set(passages.map(({ document }) => document)).size,
    passages: passages.length,
    bytes: passages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
  };
}
