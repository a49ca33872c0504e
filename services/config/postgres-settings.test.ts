import { describe, expect, it } from '@jest/globals';
import { loadSettings } from './load.ts';
import { postgresUrlProblem } from './postgres-settings.ts';

describe('setting agents.postgres.url', () => {
  it.each([
    '',
    'postgres://tandem@127.0.0.1/corpora',
    'postgresql://tandem@localhost:5433/corpora',
    'postgres://tandem@[::1]/corpora',
    'postgres://tandem@db.example/corpora?sslmode=verify-full',
    'postgres://tandem@db.example/corpora?sslmode=verify-full&sslrootcert=ca.pem',
  ])('accepts %j', (url) => {
    expect(postgresUrlProblem(url, false)).toBeUndefined();
  });

  it.each([
    ['no address', 'db.example', /"postgres:\/\/USER@HOST:5432\/DATABASE"/],
    ['another protocol', 'mysql://tandem@127.0.0.1/corpora', /"postgres:\/\//],
    ['no user', 'postgres://127.0.0.1/corpora', /"postgres:\/\//],
    ['no database', 'postgres://tandem@127.0.0.1', /"postgres:\/\//],
    ['a password', 'postgres://tandem:secret@127.0.0.1/corpora', /no password.*PGPASSWORD/],
    ['a password as parameter', 'postgres://tandem@127.0.0.1/corpora?password=secret', /no parameters but/],
    ['another host as parameter', 'postgres://tandem@127.0.0.1/corpora?host=db.example', /no parameters but/],
    ['TLS without verification', 'postgres://tandem@127.0.0.1/corpora?sslmode=no-verify', /verify-full/],
    ['plaintext to another machine', 'postgres://tandem@db.example/corpora', /plaintext/],
  ])('refuses %s', (_what, url, message) => {
    expect(postgresUrlProblem(url, false)).toMatch(message);
  });

  it('accepts plaintext to another machine with insecure', () => {
    expect(postgresUrlProblem('postgres://tandem@10.0.0.7/corpora', true)).toBeUndefined();
  });

  it.each(['postgres://tandem:s3cret@127.0.0.1/corpora', 'postgres://tandem@127.0.0.1/corpora?password=s3cret'])(
    'is refused without its password in the error: %s',
    (url) => {
      const load = (): unknown => loadSettings({ env: { TANDEM_AGENTS_POSTGRES_URL: url } });
      expect(load).toThrow(/agents\.postgres\.url/);
      expect(load).not.toThrow(/s3cret/);
    },
  );
});
