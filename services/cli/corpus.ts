// Manages the corpora of this machine: files in a folder that the router reads, too. The router only indexes them.
import { type ServiceError, status } from '@grpc/grpc-js';
import { Command } from 'commander';
import { ConfigError, loadSettings } from '../config/load.ts';
import { CorpusError } from '../corpora/corpus-error.ts';
import { CorpusStore, type CorpusSummary } from '../corpora/corpus-store.ts';
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
Corpora are files in the folder of setting agents.corpus_dir, which a router on this machine reads, too. It indexes a corpus
after "add", and labels each passage by the text model; "tandem operations" lists that. Ctrl-C only ends the waiting.

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
      const summary = onStore(options, (store) => store.add(name, readDocuments(path)));
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
    .action((options: Options, command: Command) => {
      const corpora = onStore(options, (store) => store.names().map((name) => store.summary(name)));
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
    .action((name: string, options: Options, command: Command) => {
      onStore(options, (store) => store.remove(name));
      print(command, { removed: name }, () => `corpus ${name} is removed`);
    });
}

function withFolder(command: Command): Command {
  return command
    .option('--dir <folder>', 'where the corpora are (default: setting agents.corpus_dir)')
    .option('--config <file>', 'settings in YAML (default: TANDEM_CONFIG, else none)');
}

function onStore<T>({ dir, config: file }: Pick<Options, 'dir' | 'config'>, act: (store: CorpusStore) => T): T {
  try {
    return act(new CorpusStore(dir ?? loadSettings({ file }).agents.corpus_dir));
  } catch (error) {
    if (error instanceof CorpusError || error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

function counts({ documents, passages, bytes }: CorpusSummary): string {
  return `${documents} documents, ${passages} passages, ${bytes} bytes`;
}
