// The documents of corpora in PostgreSQL.
import { z } from 'zod';
import { checkCorpusCount, checkCorpusName, checkCorpusSize, missingCorpusError } from '../corpus-limits.ts';
import type { CorpusSummary, DocumentStore } from '../document-store.ts';
import { passageKey } from '../label-file.ts';
import { passagesOf } from '../passages.ts';
import type { Document } from '../read-documents.ts';
import type { Database, Statements } from './database.ts';
import { storableText } from './storable-text.ts';

/** Passages per statement. */
const CHUNK = 500;

const idRow = z.object({ id: z.int() });
const nameRow = z.object({ name: z.string() });
const sizeRow = z.object({ documents: z.int(), passages: z.int(), bytes: z.number() });
type Size = z.infer<typeof sizeRow>;

interface AddedPassage {
  readonly document: string;
  readonly text: string;
}

export class CorpusDatabase implements DocumentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async names(): Promise<string[]> {
    const rows = await this.#database.rows(nameRow, 'SELECT name FROM tandem.corpora ORDER BY name');
    return rows.map(({ name }) => name);
  }

  async has(name: string): Promise<boolean> {
    return (await idOf(this.#database, name)) !== undefined;
  }

  async summary(name: string): Promise<CorpusSummary> {
    const id = await idOf(this.#database, name);
    if (id === undefined) throw missingCorpusError(name, await this.names());
    return { name, ...(await sizeOf(this.#database, id)) };
  }

  async add(name: string, documents: readonly Document[]): Promise<CorpusSummary> {
    checkCorpusName(name);
    const passages = documents.flatMap((each) =>
      passagesOf(each.text).map((text) => ({ document: storableText(each.name), text: storableText(text) })),
    );
    const replaced = documents.map((document) => storableText(document.name));
    return this.#database.transaction(async (on) => {
      const id = await openCorpus(on, name);
      await on.run('DELETE FROM tandem.passages WHERE corpus = $1 AND document = ANY($2)', [id, replaced]);
      for (let from = 0; from < passages.length; from += CHUNK)
        await insert(on, id, passages.slice(from, from + CHUNK));
      await on.run(DELETE_UNUSED_TEXTS, [id]);
      const size = await sizeOf(on, id);
      checkCorpusSize(size);
      return { name, ...size };
    });
  }

  async remove(name: string): Promise<void> {
    const removed = await this.#database.rows(idRow, 'DELETE FROM tandem.corpora WHERE name = $1 RETURNING id', [name]);
    if (removed.length === 0) throw missingCorpusError(name, await this.names());
  }
}

/** Returns the id of a corpus; makes the corpus if it is missing. Locks it until the transaction ends. */
async function openCorpus(on: Statements, name: string): Promise<number> {
  const sql = `INSERT INTO tandem.corpora (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET embedding = NULL RETURNING id`;
  const [row] = await on.rows(idRow, sql, [name]);
  const [counted] = await on.rows(z.object({ count: z.int() }), 'SELECT count(*)::int AS count FROM tandem.corpora');
  checkCorpusCount(counted!.count);
  return row!.id;
}

async function idOf(on: Statements, name: string): Promise<number | undefined> {
  const [row] = await on.rows(idRow, 'SELECT id FROM tandem.corpora WHERE name = $1', [storableText(name)]);
  return row?.id;
}

async function sizeOf(on: Statements, id: number): Promise<Size> {
  const sql = `SELECT count(DISTINCT document)::int AS documents, count(*)::int AS passages,
      coalesce(sum(octet_length(text)), 0)::float8 AS bytes
    FROM tandem.passages JOIN tandem.texts USING (corpus, key) WHERE corpus = $1`;
  const [row] = await on.rows(sizeRow, sql, [id]);
  return row!;
}

/** A known text keeps its vector and label. */
async function insert(on: Statements, id: number, passages: readonly AddedPassage[]): Promise<void> {
  const texts = passages.map(({ text }) => text);
  const keys = texts.map(passageKey);
  const addTexts = `INSERT INTO tandem.texts (corpus, key, text) SELECT $1, * FROM unnest($2::text[], $3::text[])
    ON CONFLICT DO NOTHING`;
  await on.run(addTexts, [id, keys, texts]);
  const addPassages = `INSERT INTO tandem.passages (corpus, document, key)
    SELECT $1, document, key FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS added (document, key, position) ORDER BY position`;
  await on.run(addPassages, [id, passages.map(({ document }) => document), keys]);
}

const DELETE_UNUSED_TEXTS = `DELETE FROM tandem.texts AS unused WHERE corpus = $1
  AND NOT EXISTS (SELECT FROM tandem.passages WHERE corpus = unused.corpus AND key = unused.key)`;
