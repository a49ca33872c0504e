// Manages the corpora of a folder or a database that the router reads, too. The router only indexes them.
import { type ServiceError, status } from '@grpc/grpc-js';
import { Command } from 'commander';
import { ConfigError, loadSettings } from '../config/load.ts';
import type { PostgresSettings } from '../config/postgres-settings.ts';
import { RouterError } from '../core/errors.ts';
import { CorpusError } from '../corpora/corpus-error.ts';
import { CorpusStore } from '../corpora/corpus-store.ts';
import type { CorpusSummary, DocumentStore } from '../corpora/document-store.ts';
import { readDocuments } from '../corpora/read-documents.ts';
import { print } from './client.ts';
import { type Indexed, indexCorpus, indexedText } from './corpus-index.ts';
import { REFUSED } from './exit-codes.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

interface Options {
  readonly dir?: string;
  readonly config?: string;
  readonly wait: boolean;
}

const HEAD = ['CORPUS', 'DOCUMENTS', 'PASSAGES', 'BYTES'];

export function corpusCommand(): Command {
  return new Command('corpus')
    .addCommand(addCommand())
    .addCommand(indexCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addHelpText(
      'after',
      `
Corpora are files in the folder of setting agents.corpus_dir, which a router on this machine reads, too. With setting
agents.postgres, new ones are in that database. The router indexes a corpus after "add", and labels each passage by the text
model; "tandem operations" lists that. Ctrl-C only ends the waiting.

Examples: npx tandem corpus add notes docs
          npx tandem query "How are engines chosen?" --corpus notes
          npx tandem corpus remove notes`,
    );
}

function addCommand(): Command {
  return withFolder(new Command('add'))
    .description('Add documents to a corpus; those of the same name are replaced.')
    .argument('<name>', 'of the corpus; made where it does not exist')
    .argument('<path>', 'a Markdown, text or JSONL file ({"name": …, "text": …} a line), or a folder of them')
    .option('--no-wait', 'do not wait until the router has indexed it')
    .addHelpText('after', '\nExample: npx tandem corpus add notes docs')
    .action(async (name: string, path: string, options: Options, command: Command) => {
      const summary = await onStore(options, (store) => store.add(name, readDocuments(path)));
      const indexed = await indexCorpus(command, name, options.wait).catch((error: unknown) => notIndexed(error));
      print(
        command,
        { ...summary, ...indexed },
        () => `corpus ${name}: ${counts(summary)}\n${indexedText(name, indexed)}`,
      );
      if (indexed.state === 'failed') process.exitCode = REFUSED;
    });
}

function indexCommand(): Command {
  return new Command('index')
    .description('Index a corpus again: labels that are missing, or of another model, are made.')
    .argument('<name>', 'of the corpus')
    .option('--no-wait', 'do not wait for the end')
    .addHelpText('after', '\nExample: npx tandem corpus index notes')
    .action(async (name: string, { wait }: Pick<Options, 'wait'>, command: Command) => {
      const indexed = await indexCorpus(command, name, wait);
      print(command, indexed, () => indexedText(name, indexed));
      if (indexed.state !== 'succeeded' && wait) process.exitCode = REFUSED;
    });
}

/** The documents are stored and can be searched; only their labels are missing. */
function notIndexed(error: unknown): Indexed {
  const { code, details } = error as Partial<ServiceError>;
  if (code !== status.UNAVAILABLE && code !== status.NOT_FOUND) throw error;
  const why = code === status.UNAVAILABLE ? 'no router answers' : (details ?? '');
  return { operation: '', state: 'not started', result: why };
}

function listCommand(): Command {
  return withFolder(new Command('list'))
    .description('List the corpora.')
    .addHelpText('after', '\nExample: npx tandem corpus list')
    .action(async (options: Options, command: Command) => {
      const corpora = await onStore(options, summaries);
      print(command, { corpora }, () =>
        corpora.length === 0
          ? 'there is no corpus; add one: npx tandem corpus add NAME PATH'
          : table(
              HEAD,
              corpora.map(({ name, documents, passages, bytes }) => [name, documents, passages, bytes]),
            ),
      );
    });
}

function removeCommand(): Command {
  return withFolder(new Command('remove'))
    .description('Remove a corpus.')
    .argument('<name>', 'of the corpus')
    .addHelpText('after', '\nExample: npx tandem corpus remove notes')
    .action(async (name: string, options: Options, command: Command) => {
      await onStore(options, (store) => store.remove(name));
      print(command, { removed: name }, () => `corpus ${name} is removed`);
    });
}

function withFolder(command: Command): Command {
  return command
    .option('--dir <folder>', 'a folder of corpora (default: settings agents.corpus_dir and agents.postgres)')
    .option('--config <file>', 'settings in YAML (default: TANDEM_CONFIG, else none)');
}

async function summaries(store: DocumentStore): Promise<CorpusSummary[]> {
  const all: CorpusSummary[] = [];
  for (const name of await store.names()) all.push(await store.summary(name));
  return all;
}

async function onStore<T>(
  { dir, config: file }: Pick<Options, 'dir' | 'config'>,
  act: (store: DocumentStore) => T | Promise<T>,
): Promise<T> {
  try {
    if (dir !== undefined) return await act(new CorpusStore(dir));
    const { corpus_dir: corpusDir, postgres } = loadSettings({ file }).agents;
    const folder = new CorpusStore(corpusDir);
    return postgres.url === '' ? await act(folder) : await onStores(folder, postgres, act);
  } catch (error) {
    if (error instanceof CorpusError || error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

async function onStores<T>(
  folder: CorpusStore,
  { url, timeout_ms: timeoutMs }: PostgresSettings,
  act: (store: DocumentStore) => T | Promise<T>,
): Promise<T> {
  // Loaded only if needed: most users have no database.
  const { Database } = await import('../corpora/postgres/database.ts');
  const { CorpusDatabase } = await import('../corpora/postgres/corpus-database.ts');
  const { DocumentStores } = await import('../corpora/document-stores.ts');
  const database = new Database({ url, maxConnections: 1, timeoutMs });
  try {
    return await act(new DocumentStores(folder, new CorpusDatabase(database)));
  } catch (error) {
    if (error instanceof RouterError) throw unavailable(error);
    throw error;
  } finally {
    await database.end();
  }
}

/** Adds the details that callers of a router do not see: here the user is the operator. */
function unavailable({ message, cause }: RouterError): Error {
  const [what] = message.split(';', 1);
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new Error(`${what}${why}; look into setting agents.postgres.url, and into the variable PGPASSWORD`);
}

function counts({ documents, passages, bytes }: CorpusSummary): string {
  return `${documents} documents, ${passages} passages, ${bytes} bytes`;
}
