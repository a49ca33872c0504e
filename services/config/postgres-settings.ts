// Settings of a PostgreSQL database for corpora.
import { z } from 'zod';
import { isLoopbackHost } from '../core/loopback.ts';

/** Other parameters could name another host, or hold a password. */
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'];
const EXAMPLE = '"postgres://USER@HOST:5432/DATABASE"';

export const postgresSchema = z
  .strictObject({
    url: z
      .string()
      .default('')
      .describe(
        `Database for new corpora, instead of \`corpus_dir\`: ${EXAMPLE}. It needs the extension pgvector. The password comes from the variable PGPASSWORD, or from ~/.pgpass. For TLS add "?sslmode=verify-full", and "&sslrootcert=FILE" for a CA of your own; without it another machine needs \`insecure: true\`. Empty: none.`,
      ),
    max_connections: z.int().min(1).max(64).default(4).describe('Maximum number of connections of a router.'),
    timeout_ms: z
      .int()
      .min(1)
      .max(600_000)
      .default(5_000)
      .describe('Time limit for a connection, and for each statement, milliseconds.'),
  })
  .prefault({})
  .describe('PostgreSQL with pgvector, for corpora that several routers share.');

export type PostgresSettings = z.infer<typeof postgresSchema>;

/** The error of an address; undefined: it is valid. The text quotes no part of it, because it may hold a password. */
export function postgresUrlProblem(text: string, insecure: boolean): string | undefined {
  if (text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isComplete =
    url !== undefined &&
    ['postgres:', 'postgresql:'].includes(url.protocol) &&
    [url.hostname, url.username, url.pathname.slice(1)].every((part) => part !== '');
  if (!isComplete) return `must be an address such as ${EXAMPLE}, or empty`;
  if (url.password !== '') return 'must hold no password: put it into the variable PGPASSWORD, or into ~/.pgpass';
  if ([...url.searchParams.keys()].some((name) => !PARAMETERS.includes(name))) {
    return `must have no parameters but ${PARAMETERS.join(', ')}`;
  }
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  if (!['disable', 'verify-full'].includes(mode)) return 'must have sslmode "verify-full" or "disable"';
  if (mode === 'verify-full' || insecure || isLoopbackHost(url.hostname)) return undefined;
  return 'must have "?sslmode=verify-full": plaintext would go to another machine. Add it, or write "insecure: true"';
}
