// A router with a folder of corpora and a database, and the command line: nothing changes for the user.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CorpusStore } from '../../services/corpora/corpus-store.ts';
import { type CliCall, callTandem } from '../support/cli-call.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { until } from '../support/until.ts';
import { PASSWORD, type PostgresServer, startPostgres } from './server.ts';

let folder: string;
let server: PostgresServer;
let router: RouterProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-postgres-router-'));
  server = await startPostgres();
  const agents = { corpus_dir: join(folder, 'corpora'), postgres: { url: server.url } };
  new CorpusStore(agents.corpus_dir).add('local', [{ name: 'cat.md', text: 'The cat sleeps on the sofa all day.' }]);
  writeFileSync(join(folder, 'tandem.yaml'), JSON.stringify({ agents }));
  writeFileSync(join(folder, 'fox.md'), 'A hound is kept to hunt foxes.\n\nThe spade is a tool for digging.');
  const operations = { file: join(folder, 'operations.json') };
  const learning = { dir: join(folder, 'learning') };
  const settings = { ...{ models_dir: 'deploy/models', log_level: 'info' }, agents, operations, learning };
  router = await startRouter(settings, { PGPASSWORD: PASSWORD });
}, 120_000);

afterAll(async () => {
  await router.stop();
  await server.remove();
  rmSync(folder, { recursive: true, force: true });
  expect(router.log()).not.toContain(PASSWORD);
});

const tandem = (...words: string[]): Promise<CliCall> =>
  callTandem([...words, '--address', router.address, '--admin', router.adminAddress, '--timeout-ms', '60000']);
const corpus = (...words: string[]): Promise<CliCall> =>
  tandem('corpus', ...words, '--config', join(folder, 'tandem.yaml'));

describe('with a database, the command line', () => {
  it('adds and indexes a corpus in it', async () => {
    const { stdout, stderr, code } = await corpus('add', 'notes', join(folder, 'fox.md'));
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toMatch(
      /corpus notes: 1 documents, 1 passages.*\n1 passages indexed, labelled by supersense-text\/1/,
    );
    expect(await server.query('SELECT name FROM tandem.corpora')).toEqual([{ name: 'notes' }]);
  }, 120_000);

  it('lists it beside those of the folder', async () => {
    const { stdout } = await corpus('list');
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['CORPUS', 'local', 'notes', '']);
  });

  it.each([
    ['notes', 'fox.md'],
    ['local', 'cat.md'],
  ])('queries corpus %s', async (name, document) => {
    const { stdout } = await tandem('query', 'Who keeps a dog, or a cat?', '--corpus', name);
    expect(stdout).toContain(document);
  });

  it('removes it', async () => {
    await corpus('add', 'old', join(folder, 'fox.md'), '--no-wait');
    expect((await corpus('remove', 'old')).stdout).toBe('corpus old is removed\n');
    expect(await server.query('SELECT name FROM tandem.corpora')).toEqual([{ name: 'notes' }]);
  });
});

describe('while the database is unreachable', () => {
  beforeAll(() => server.stop());

  it('a query of its corpora is refused, with what to do', async () => {
    const { code, stderr } = await tandem('query', 'dog', '--corpus', 'notes');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('UNAVAILABLE (CORPUS_UNAVAILABLE): the database of the corpora'),
    ]);
    expect(stderr).not.toContain('127.0.0.1');
    expect(router.log()).toContain('the database of setting agents.postgres cannot be used');
  });

  it('corpora in the folder answer', async () => {
    expect((await tandem('query', 'cat', '--corpus', 'local')).stdout).toContain('cat.md');
  });

  it('the operator gets the reason', async () => {
    const { stderr } = await corpus('list');
    expect(stderr).toMatch(/cannot be used: there is no connection \(.*ECONNREFUSED.*\); look into setting/);
  });

  it('after its return, queries are answered again', async () => {
    await server.start();
    const answered = async (): Promise<boolean> =>
      (await tandem('query', 'dog', '--corpus', 'notes')).stdout.includes('fox.md');
    await until(answered, { what: 'an answer from the database', timeoutMs: 60_000 });
    expect(router.log()).toContain('can be used again');
  }, 120_000);
});
