// Documents of corpora in a real PostgreSQL, also when it is not reachable.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { MAX_DOCUMENTS } from '../../services/corpora/limits.ts';
import { CorpusDatabase } from '../../services/corpora/postgres/corpus-database.ts';
import { Database } from '../../services/corpora/postgres/database.ts';
import { until } from '../support/until.ts';
import { PASSWORD, type PostgresServer, startPostgres } from './server.ts';

let server: PostgresServer;
let database: Database;
let documents: CorpusDatabase;
let changes: string[];

beforeAll(async () => {
  server = await startPostgres();
}, 120_000);

afterAll(() => server.remove());

beforeEach(() => {
  changes = [];
  database = connect();
  documents = new CorpusDatabase(database);
});

afterEach(async () => {
  for (const name of await documents.names()) await documents.remove(name);
  await database.end();
});

function connect(
  over: { readonly url?: string; readonly maxConnections?: number; readonly timeoutMs?: number } = {},
): Database {
  const onChange = (text: string): void => void changes.push(text);
  return new Database({ ...{ url: server.url, maxConnections: 4, timeoutMs: 10_000 }, onChange, ...over });
}

describe('a corpus in a database', () => {
  it('has the added documents', async () => {
    const added = await documents.add('notes', [
      { name: 'a', text: 'one\n\ntwo' },
      { name: 'b', text: 'three' },
    ]);
    expect(added).toEqual({ name: 'notes', documents: 2, passages: 2, bytes: 13 });
    expect([await documents.names(), await documents.summary('notes')]).toEqual([['notes'], added]);
  });

  it('replaces a document of the same name, and keeps the others', async () => {
    await documents.add('notes', [
      { name: 'a', text: 'old' },
      { name: 'b', text: 'kept' },
    ]);
    await documents.add('notes', [{ name: 'a', text: 'new' }]);
    const texts = await server.query(
      'SELECT document, text FROM tandem.passages JOIN tandem.texts USING (corpus, key) ORDER BY id',
    );
    expect(texts).toEqual([
      { document: 'b', text: 'kept' },
      { document: 'a', text: 'new' },
    ]);
  });

  it('leaves no data when it is removed', async () => {
    await documents.add('notes', [{ name: 'a', text: 'one' }]);
    await documents.remove('notes');
    expect(await server.query('SELECT FROM tandem.passages UNION ALL SELECT FROM tandem.texts')).toEqual([]);
  });

  it('stores characters that PostgreSQL refuses as U+FFFD', async () => {
    await documents.add('notes', [{ name: 'a\0', text: 'nul \0 and half \uD800 of a character' }]);
    const [row] = await server.query('SELECT text FROM tandem.texts');
    expect(row).toEqual({ text: 'nul \uFFFD and half \uFFFD of a character' });
  });

  it.each([
    ['a name that is a path', '../notes', [{ name: 'a', text: 'one' }], /is no name for a corpus/],
    ['no text', 'notes', [{ name: 'a', text: ' ' }], /have no text/],
    [
      'too many documents',
      'notes',
      Array.from({ length: MAX_DOCUMENTS + 1 }, (_, at) => ({ name: `${at}`, text: 'same' })),
      /the limit is 20000/,
    ],
  ])('refuses %s, and does not change', async (_, name, added, message) => {
    await expect(documents.add(name, added)).rejects.toThrow(message);
    expect(await documents.names()).toEqual([]);
  });

  it('that does not exist is refused with the list of corpora', async () => {
    await documents.add('notes', [{ name: 'a', text: 'one' }]);
    await expect(documents.remove('ghost')).rejects.toThrow('there is no corpus "ghost"; there are: notes');
  });

  it('accepts documents of several programs at once', async () => {
    const all = Array.from({ length: 8 }, (_, at) => documents.add('notes', [{ name: `${at}`, text: `text ${at}` }]));
    await Promise.all(all);
    expect(await documents.summary('notes')).toMatchObject({ documents: 8 });
  });
});

describe('the database', () => {
  it('has no more connections than the setting allows', async () => {
    const bounded = connect({ maxConnections: 2 });
    const queries = Array.from({ length: 50 }, () => new CorpusDatabase(bounded).names());
    await Promise.all(queries);
    const [row] = await server.query(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'tandem' AND pid <> pg_backend_pid()`,
    );
    await bounded.end();
    expect(row!['count']).toBeLessThanOrEqual(2 + 4);
  });

  it('is used again after an outage, and both are logged once', async () => {
    await documents.add('notes', [{ name: 'a', text: 'one' }]);
    await server.stop();
    for (let call = 0; call < 2; call += 1) {
      await expect(documents.names()).rejects.toMatchObject({
        kind: 'CORPUS_UNAVAILABLE',
        message: expect.stringContaining('the database of the corpora cannot be used: there is no connection'),
      });
    }
    await server.start();
    await until(async () => (await documents.names()).length === 1, { what: 'the database' });
    expect(changes).toEqual([
      expect.stringContaining('the database of setting agents.postgres cannot be used: '),
      'the database of setting agents.postgres can be used again',
    ]);
  }, 60_000);

  it('that does not answer in time is given up', async () => {
    await documents.add('notes', [{ name: 'a', text: 'one' }]);
    const blocker = new pg.Client({ connectionString: server.url, password: PASSWORD });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE tandem.corpora');
    const hasty = connect({ timeoutMs: 200 });
    await expect(new CorpusDatabase(hasty).names()).rejects.toMatchObject({
      kind: 'CORPUS_UNAVAILABLE',
      message: expect.stringContaining('no answer within 200 ms'),
    });
    await blocker.end();
    await hasty.end();
  });

  it('that refuses the login is reported without the password', async () => {
    process.env['PGPASSWORD'] = 'wrong-password';
    try {
      const refused = connect();
      await expect(new CorpusDatabase(refused).names()).rejects.toThrow(/SQLSTATE 28P01/);
      await refused.end();
    } finally {
      process.env['PGPASSWORD'] = PASSWORD;
    }
    expect(changes.join()).toContain('password authentication failed');
    expect(changes.join()).not.toContain('wrong-password');
  });

  it('with tables of another form is refused', async () => {
    await documents.add('notes', [{ name: 'a', text: 'one' }]);
    await server.query('ALTER TABLE tandem.corpora RENAME COLUMN name TO title');
    await expect(documents.names()).rejects.toMatchObject({ kind: 'CORPUS_UNAVAILABLE' });
    await server.query('ALTER TABLE tandem.corpora RENAME COLUMN title TO name');
    expect(await documents.names()).toEqual(['notes']);
  });
});
