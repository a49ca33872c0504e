// The worker thread that reads, indexes and searches the corpora, so that the router's event loop is not blocked.
import { parentPort } from 'node:worker_threads';
import { RouterError } from '../../core/errors.ts';
import { CorpusStore } from '../../corpora/corpus-store.ts';
import { CorpusDatabase } from '../../corpora/postgres/corpus-database.ts';
import { CorpusTexts } from '../../corpora/postgres/corpus-texts.ts';
import { Database } from '../../corpora/postgres/database.ts';
import { threadSetup } from '../../engines/local/thread.ts';
import { ModelRepository } from '../../models/repository.ts';
import type { CorpusReply, CorpusRequest, DatabaseSetup, NumberedRequest, ThreadSetup } from './corpus-messages.ts';
import { AllCorpora } from './all-corpora.ts';
import { CorpusRetriever } from './corpus-retriever.ts';
import { DatabaseRetriever } from './database-retriever.ts';
import { loadTextEmbedding } from './load-embedding.ts';
import type { TextEmbedding } from './text-embedding.ts';

const port = parentPort!;
const { corpusDir, modelsDir, defaultModel, database } = threadSetup() as ThreadSetup;
const reply = (message: CorpusReply): void => port.postMessage(message);

let loaded: { readonly embedding: TextEmbedding | undefined } | undefined;

/** Read once, for all corpora. */
function embedding(): TextEmbedding | undefined {
  return (loaded ??= { embedding: loadEmbedding() }).embedding;
}

function loadEmbedding(): TextEmbedding | undefined {
  try {
    const found = loadTextEmbedding(modelsDir, ModelRepository.read(modelsDir, defaultModel));
    if (found === undefined)
      reply({ warning: 'no model has an embedding for texts: corpora are searched by words alone' });
    return found;
  } catch (error) {
    const why = (error as Error).message;
    reply({ warning: `the embedding for texts cannot be read: corpora are searched by words alone: ${why}` });
    return undefined;
  }
}

const onIndexed = (corpus: string, indexed: number, total: number): void => reply({ corpus, indexed, total });
const onWarning = (warning: string): void => reply({ warning });

function ofDatabase(setup: DatabaseSetup): { documents: CorpusDatabase; searcher: DatabaseRetriever } {
  const connections = new Database({ ...setup, onChange: onWarning });
  const texts = new CorpusTexts(connections);
  return {
    documents: new CorpusDatabase(connections),
    searcher: new DatabaseRetriever({ texts, embedding, onIndexed, onWarning }),
  };
}

const store = new CorpusStore(corpusDir);
const corpora = new AllCorpora({
  ...{ store, folder: new CorpusRetriever({ store, embedding, onIndexed }) },
  ...(database && { database: ofDatabase(database) }),
});

function answer(request: CorpusRequest): Promise<unknown> {
  switch (request.what) {
    case 'name':
      return corpora.nameOf(request.corpus);
    case 'search':
      return corpora.search(request.search);
    case 'pending':
      return corpora.pending(request.corpus, request.model, request.count);
    case 'label':
      return corpora.label(request.corpus, request.model, request.labels);
  }
}

async function serve({ id, request }: NumberedRequest): Promise<void> {
  try {
    reply({ id, result: await answer(request) });
  } catch (thrown) {
    const { kind, message, violation, cause } = RouterError.from(thrown);
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : '';
    reply({ id, error: { kind, message, field: violation?.field }, stack });
  }
}

port.on('message', (request: NumberedRequest) => void serve(request));
