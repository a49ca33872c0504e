// A real PostgreSQL with pgvector, which `scripts/setup --for postgres` installs. It listens on a free port, requires a
// password, and can be stopped and started again at the same address.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePorts } from '../support/free-ports.ts';
import { until } from '../support/until.ts';

const INSTALLED = join(import.meta.dirname, '../../.cache/postgres');
/** PostgreSQL refuses to run as root; then it runs as nobody. */
const NOBODY = 65_534;
const START_TIMEOUT_MS = 60_000;

export const PASSWORD = 'test-password';

export interface PostgresServer {
  /** Without the password, in the form of setting agents.postgres.url. */
  readonly url: string;
  /** Ends every connection at once. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Runs a statement of the test. */
  query(sql: string, parameters?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Stops it, and deletes its data. */
  remove(): Promise<void>;
}

/** Also sets PGPASSWORD for this process. */
export async function startPostgres(): Promise<PostgresServer> {
  const isRoot = process.getuid?.() === 0;
  // The user nobody may not read the folder of a test run.
  const folder = mkdtempSync(join(isRoot ? '/tmp' : tmpdir(), 'tandem-postgres-'));
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, 'data');
  const secret = join(folder, 'password');
  // It may not read root's folders either, so the programs are beside the data.
  cpSync(realpathSync(INSTALLED), join(folder, 'install'), { recursive: true });
  chmodSync(folder, 0o755);
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(secret, PASSWORD);
  if (isRoot) for (const path of [data, secret]) chownSync(path, NOBODY, NOBODY);
  const program = (name: string): string => join(folder, 'install/pgserver/pginstall/bin', name);
  const options = ['-U', 'tandem', `--pwfile=${secret}`, '--auth=scram-sha-256', '-E', 'UTF8', '--locale=C', '-N'];
  execFileSync(program('initdb'), ['-D', data, ...options], { ...user, stdio: 'ignore' });
  const [port] = await freePorts(1);
  const url = `postgres://tandem@127.0.0.1:${port}/postgres`;
  process.env['PGPASSWORD'] = PASSWORD;
  let running: ChildProcess | undefined;

  const query = async (sql: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: url, password: PASSWORD });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const settings = ['-c', 'fsync=off', '-c', `port=${port}`, '-c', 'unix_socket_directories='];
    running = spawn(program('postgres'), ['-D', data, ...settings], { ...user, stdio: 'ignore' });
    const answers = (): Promise<boolean> => query('SELECT 1').then(Boolean, () => false);
    await until(answers, { what: 'PostgreSQL to answer', timeoutMs: START_TIMEOUT_MS });
  };
  const stop = async (): Promise<void> => {
    if (running === undefined) return;
    const ended = once(running, 'exit');
    running.kill('SIGQUIT');
    await ended;
    running = undefined;
  };
  await start();
  return {
    ...{ url, start, stop, query },
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
