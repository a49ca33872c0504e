// Searches in one corpus in PostgreSQL, and its vectors and labels, which routers compute. Texts, vectors and labels are
// validated when they are read: another program, a restored backup or a damaged disk may have changed them.
import { z } from 'zod';
import { MAX_DOCUMENT_NAME_CHARS, MAX_PASSAGE_CHARS } from '../limits.ts';
import type { Database } from './database.ts';
import { storableText } from './storable-text.ts';

const MAX_LABEL_CHARS = 512;
const LARGEST = 127;

const corpusRow = z.object({ id: z.int(), embedding: z.string().nullable() });
const keyedRow = z.object({ key: z.string(), text: z.string().max(MAX_PASSAGE_CHARS) });
const foundRow = z.object({ id: z.int() });
const nearRow = z.object({ id: z.int(), key: z.string(), vector: z.string() });
const labelRow = z.object({ label: z.string().max(MAX_LABEL_CHARS) });
const countRow = z.object({ done: z.int(), total: z.int() });
const passageRow = z.object({
  id: z.int(),
  document: z.string().max(MAX_DOCUMENT_NAME_CHARS),
  text: z.string().max(MAX_PASSAGE_CHARS),
  label: z.string().max(MAX_LABEL_CHARS),
});

export type CorpusRow = z.infer<typeof corpusRow>;
export type KeyedText = z.infer<typeof keyedRow>;
export type LabelledPassage = z.infer<typeof passageRow>;

export interface NearText {
  /** Of the passage. */
  readonly id: number;
  /** Of its text. */
  readonly key: string;
  /** Undefined: the stored value is not a vector of the embedding. */
  readonly vector: Int8Array | undefined;
}

/** `label` empty: passages with any label, or none. Each method throws CORPUS_UNAVAILABLE. */
export class CorpusTexts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(name: string): Promise<CorpusRow | undefined> {
    const sql = 'SELECT id, embedding FROM tandem.corpora WHERE name = $1';
    const [row] = await this.#database.rows(corpusRow, sql, [storableText(name)]);
    return row;
  }

  /** Ids of the passages with at least one word of the query, best first, by PostgreSQL's full text search for English. */
  async byWords(corpus: number, query: string, count: number, label: string): Promise<number[]> {
    const rows = await this.#database.rows(foundRow, BY_WORDS, [
      corpus,
      storableText(query),
      storableText(label),
      count,
    ]);
    return rows.map(({ id }) => id);
  }

  /** The passages nearest to a vector, with a cosine above 0. Vectors of a wrong length come first. */
  async byMeaning(corpus: number, vector: Int8Array, count: number, label: string): Promise<NearText[]> {
    const parameters = [corpus, toSql(vector), storableText(label), count];
    const rows = await this.#database.rows(nearRow, BY_MEANING, parameters);
    return rows.map((row) => ({ ...row, vector: fromSql(row.vector, vector.length) }));
  }

  async passages(corpus: number, ids: readonly number[]): Promise<LabelledPassage[]> {
    const sql = `SELECT id, document, text, coalesce(label, '') AS label
      FROM tandem.passages JOIN tandem.texts USING (corpus, key) WHERE corpus = $1 AND id = ANY($2)`;
    return this.#database.rows(passageRow, sql, [corpus, ids]);
  }

  /** Sorted, without duplicates. */
  async labels(corpus: number): Promise<string[]> {
    const sql = `SELECT DISTINCT label COLLATE "C" AS label FROM tandem.texts WHERE corpus = $1 AND label <> '' ORDER BY label`;
    return (await this.#database.rows(labelRow, sql, [corpus])).map(({ label }) => label);
  }

  /** At most `count` texts without a vector of this embedding. */
  withoutVector(corpus: number, embedding: string, count: number): Promise<KeyedText[]> {
    const sql = 'SELECT key, text FROM tandem.texts WHERE corpus = $1 AND embedding IS DISTINCT FROM $2 LIMIT $3';
    return this.#database.rows(keyedRow, sql, [corpus, embedding, count]);
  }

  async setVectors(corpus: number, embedding: string, vectors: ReadonlyMap<string, Int8Array>): Promise<void> {
    const sql = `UPDATE tandem.texts AS texts SET embedding = $2, vector = made.vector::vector
      FROM unnest($3::text[], $4::text[]) AS made (key, vector) WHERE corpus = $1 AND texts.key = made.key`;
    await this.#database.run(sql, [corpus, embedding, [...vectors.keys()], [...vectors.values()].map(toSql)]);
  }

  /** The next search computes them again. */
  async dropVectors(corpus: number, keys: readonly string[]): Promise<void> {
    await this.#database.transaction(async (on) => {
      await on.run('UPDATE tandem.corpora SET embedding = NULL WHERE id = $1', [corpus]);
      const sql = 'UPDATE tandem.texts SET embedding = NULL, vector = NULL WHERE corpus = $1 AND key = ANY($2)';
      await on.run(sql, [corpus, keys]);
    });
  }

  /** Records that all texts have vectors, unless documents were added meanwhile. */
  async setEmbedding(corpus: number, embedding: string): Promise<void> {
    await this.#database.transaction(async (on) => {
      // Waits until a running `add` ends, so that the next statement sees its documents.
      await on.run('SELECT FROM tandem.corpora WHERE id = $1 FOR UPDATE', [corpus]);
      const sql = `UPDATE tandem.corpora SET embedding = $2 WHERE id = $1
        AND NOT EXISTS (SELECT FROM tandem.texts WHERE corpus = $1 AND embedding IS DISTINCT FROM $2)`;
      await on.run(sql, [corpus, embedding]);
    });
  }

  /** At most `count` texts that `model` has not labelled, in no order. */
  async withoutLabel(corpus: number, model: string, count: number): Promise<string[]> {
    const sql = 'SELECT key, text FROM tandem.texts WHERE corpus = $1 AND model IS DISTINCT FROM $2 LIMIT $3';
    return (await this.#database.rows(keyedRow, sql, [corpus, model, count])).map(({ text }) => text);
  }

  /** Passages that `model` has labelled, and all. */
  async counts(corpus: number, model: string): Promise<{ readonly done: number; readonly total: number }> {
    const sql = `SELECT (count(*) FILTER (WHERE model = $2))::int AS done, count(*)::int AS total
      FROM tandem.passages JOIN tandem.texts USING (corpus, key) WHERE corpus = $1`;
    const [row] = await this.#database.rows(countRow, sql, [corpus, model]);
    return row!;
  }

  async setLabels(corpus: number, model: string, labels: ReadonlyMap<string, string>): Promise<void> {
    const sql = `UPDATE tandem.texts AS texts SET model = $2, label = made.label
      FROM unnest($3::text[], $4::text[]) AS made (key, label) WHERE corpus = $1 AND texts.key = made.key`;
    await this.#database.run(sql, [corpus, model, [...labels.keys()], [...labels.values()]]);
  }
}

// Any word of the query. Normalization 1 divides by the logarithm of the length: without it, long passages rank too high.
const BY_WORDS = `WITH query AS (
    SELECT string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery AS words
    FROM unnest(to_tsvector('english', $2))
  )
  SELECT id FROM query, tandem.texts AS texts JOIN tandem.passages USING (corpus, key)
  WHERE corpus = $1 AND texts.words @@ query.words AND ($3 = '' OR label = $3)
  ORDER BY ts_rank(texts.words, query.words, 1) DESC, id LIMIT $4`;

// "<#>" is the negative dot product: of whole numbers as small as these it is exact, so the order equals that of the folder's search.
// There is no vector index: all vectors of a corpus are compared, so the result is exact.
// Only the vectors that are sent are made text.
const BY_MEANING = `SELECT id, key, vector::text AS vector FROM (
    SELECT * FROM (
      SELECT id, key, vector, CASE WHEN vector_dims(vector) = vector_dims($2::vector)
        THEN (vector <#> $2::vector) / nullif(vector_norm(vector), 0) ELSE '-infinity' END AS distance
      FROM tandem.passages JOIN tandem.texts USING (corpus, key)
      WHERE corpus = $1 AND vector IS NOT NULL AND ($3 = '' OR label = $3)
    ) AS compared
    WHERE distance < 0 ORDER BY distance, id LIMIT $4
  ) AS nearest ORDER BY distance, id`;

function toSql(vector: Int8Array): string {
  return `[${vector.join(',')}]`;
}

function fromSql(text: string, dimensions: number): Int8Array | undefined {
  const numbers = text.slice(1, -1).split(',').map(Number);
  const isVector =
    numbers.length === dimensions && numbers.every((each) => Number.isInteger(each) && Math.abs(each) <= LARGEST);
  return isVector ? Int8Array.from(numbers) : undefined;
}
