// The tables of corpora in PostgreSQL. Equal texts of passages are stored once, with their vector and label.

/** Prevents two programs from making the tables at the same time. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('tandem.corpora'))`;

export const TABLES_EXIST = `SELECT to_regclass('tandem.passages') IS NOT NULL AS exist`;

export const MAKE_TABLES = [
  LOCK,
  `CREATE EXTENSION IF NOT EXISTS vector`,
  `CREATE SCHEMA IF NOT EXISTS tandem`,
  // embedding: every text of the corpus has a vector of this embedding. NULL: vectors are missing.
  `CREATE TABLE IF NOT EXISTS tandem.corpora (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    embedding text
  )`,
  // The type of "vector" has no dimensions: they are those of the embedding. label: empty if the model cannot label the text.
  `CREATE TABLE IF NOT EXISTS tandem.texts (
    corpus integer NOT NULL REFERENCES tandem.corpora ON DELETE CASCADE,
    key text NOT NULL,
    text text NOT NULL,
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
    embedding text,
    vector vector,
    model text,
    label text,
    PRIMARY KEY (corpus, key)
  )`,
  `CREATE INDEX IF NOT EXISTS texts_words ON tandem.texts USING gin (words)`,
  // id: the order in which passages were added.
  `CREATE TABLE IF NOT EXISTS tandem.passages (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    corpus integer NOT NULL,
    document text NOT NULL,
    key text NOT NULL,
    FOREIGN KEY (corpus, key) REFERENCES tandem.texts ON DELETE CASCADE
  )`,
  `CREATE INDEX IF NOT EXISTS passages_key ON tandem.passages (corpus, key)`,
  `CREATE INDEX IF NOT EXISTS passages_document ON tandem.passages (corpus, document)`,
] as const;
