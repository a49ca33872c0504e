// Connections to PostgreSQL: a bounded pool with time limits. It makes missing tables, and validates every row. After a
// failure the next statement connects again.
import pg from 'pg';
import { z } from 'zod';
import { RouterError } from '../../core/errors.ts';
import { visible } from '../../core/visible.ts';
import { CorpusError } from '../corpus-error.ts';
import { MAKE_TABLES, TABLES_EXIST } from './tables.ts';

export interface DatabaseOptions {
  /** Without a password: the client library reads PGPASSWORD, or ~/.pgpass. */
  readonly url: string;
  readonly maxConnections: number;
  /** For a connection, and for each statement. */
  readonly timeoutMs: number;
  /** Called once when the database becomes unavailable, with the reason, and once when it is available again. */
  readonly onChange?: (text: string) => void;
}

/** Runs statements; inside `transaction`, all on one connection. */
export interface Statements {
  /** Throws CORPUS_UNAVAILABLE if a row does not fit `row`. */
  rows<T>(row: z.ZodType<T>, sql: string, parameters?: readonly unknown[]): Promise<T[]>;
  run(sql: string, parameters?: readonly unknown[]): Promise<void>;
}

/** Statements that may wait for a connection; each waits for at most timeoutMs. */
const MAX_WAITING = 256;
const RETRY_MS = 1_000;
/** The server ends a statement at timeoutMs. If it does not answer at all, the client gives up this much later. */
const GRACE_MS = 1_000;
const STATEMENT_TIMEOUT = '57014';

export class Database implements Statements {
  readonly #pool: pg.Pool;
  readonly #timeoutMs: number;
  readonly #onChange: (text: string) => void;
  #tables: Promise<void> | undefined;
  #isAway = false;

  /** Connects at the first statement. Throws CorpusError if a file that `url` names cannot be read. */
  constructor({ url, maxConnections, timeoutMs, onChange = () => undefined }: DatabaseOptions) {
    this.#timeoutMs = timeoutMs;
    this.#onChange = onChange;
    try {
      this.#pool = new pg.Pool({
        ...{ connectionString: url, max: maxConnections, connectionTimeoutMillis: timeoutMs },
        ...{ statement_timeout: timeoutMs, query_timeout: timeoutMs + GRACE_MS },
        ...{ keepAlive: true, allowExitOnIdle: true, application_name: 'tandem' },
      });
    } catch (error) {
      throw new CorpusError(`setting "agents.postgres.url": ${(error as Error).message}`, { cause: error });
    }
    // An idle connection ended. The pool drops it, and the next statement opens another.
    this.#pool.on('error', () => undefined);
  }

  async rows<T>(row: z.ZodType<T>, sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    return this.#use((on) => on.rows(row, sql, parameters));
  }

  async run(sql: string, parameters: readonly unknown[] = []): Promise<void> {
    await this.#use((on) => on.run(sql, parameters));
  }

  /** Commits all statements of `work`, or none. */
  async transaction<T>(work: (on: Statements) => Promise<T>): Promise<T> {
    return this.#use((on) => inTransaction(on, work));
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }

  async #use<T>(work: (on: Statements) => Promise<T>): Promise<T> {
    try {
      this.#tables ??= this.#connected(makeTables);
      await this.#tables;
      const result = await this.#connected(work);
      this.#tell(undefined);
      return result;
    } catch (error) {
      if (error instanceof CorpusError || error instanceof RouterError) throw error;
      // Check the tables again: the database may be a new one.
      this.#tables = undefined;
      throw this.#unavailable(error);
    }
  }

  async #connected<T>(work: (on: Statements) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= MAX_WAITING) {
      const message = `${MAX_WAITING} statements wait for a connection to the database of the corpora; ask again later, or raise agents.postgres.max_connections`;
      throw new RouterError('ROUTER_FULL', message, { retryAfterMs: RETRY_MS });
    }
    const client = await this.#pool.connect();
    // A connection that is lost between two statements emits an error, too.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let isUsable = true;
    try {
      return await work(statementsOf(client));
    } catch (error) {
      // A refused statement leaves the connection usable. After any other failure its state is unknown.
      isUsable = sqlState(error) !== undefined || error instanceof CorpusError;
      throw error;
    } finally {
      client.off('error', ignore);
      client.release(!isUsable);
    }
  }

  #unavailable(error: unknown): RouterError {
    const { message: text, code } = error as NodeJS.ErrnoException;
    const detail = visible(text || (code ?? 'no reason given'));
    this.#tell(detail);
    const what = `the database of the corpora cannot be used: ${this.#why(error)}`;
    const message = `${what}; ask again, or look into the log of the router`;
    return new RouterError('CORPUS_UNAVAILABLE', message, { retryAfterMs: RETRY_MS, cause: new Error(detail) });
  }

  /** Without addresses and user names: remote callers see it. */
  #why(error: unknown): string {
    const state = sqlState(error);
    const isTimeout = state === STATEMENT_TIMEOUT || /timeout/i.test((error as Error).message);
    if (isTimeout) return `no answer within ${this.#timeoutMs} ms`;
    if (error instanceof z.ZodError) return 'it holds something else than corpora';
    return state === undefined ? 'there is no connection' : `it refused a statement (SQLSTATE ${state})`;
  }

  #tell(detail: string | undefined): void {
    const isAway = detail !== undefined;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    const text = 'the database of setting agents.postgres';
    this.#onChange(isAway ? `${text} cannot be used: ${detail}` : `${text} can be used again`);
  }
}

function statementsOf(client: pg.PoolClient): Statements {
  return {
    rows: async (row, sql, parameters = []) => z.array(row).parse((await client.query(sql, [...parameters])).rows),
    run: async (sql, parameters = []) => {
      await client.query(sql, [...parameters]);
    },
  };
}

async function makeTables(on: Statements): Promise<void> {
  const [found] = await on.rows(z.object({ exist: z.boolean() }), TABLES_EXIST);
  // A user without the right to make tables can use existing ones.
  if (found?.exist === true) return;
  await inTransaction(on, async () => {
    for (const statement of MAKE_TABLES) await on.run(statement);
  });
}

async function inTransaction<T>(on: Statements, work: (on: Statements) => Promise<T>): Promise<T> {
  await on.run('BEGIN');
  try {
    const result = await work(on);
    await on.run('COMMIT');
    return result;
  } catch (error) {
    // This fails if the connection is lost; then the server rolls back by itself.
    await on.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Undefined: the error is not from the server. */
function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
