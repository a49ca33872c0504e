// The worker thread that reads, indexes and searches the corpora, so that the router's event loop is not blocked.
import { parentPort } from 'node:worker_threads';
import { RouterError } from '../../core/errors.ts';
import { CorpusStore } from '../../corpora/corpus-store.ts';
import { threadSetup } from '../../engines/local/thread.ts';
import { ModelRepository } from '../../models/repository.ts';
import type { NumberedRequest, CorpusReply, CorpusRequest, ThreadSetup } from './corpus-messages.ts';
import { CorpusRetriever } from './corpus-retriever.ts';
import { loadTextEmbedding } from './load-embedding.ts';
import type { TextEmbedding } from './text-embedding.ts';

const port = parentPort!;
const { corpusDir, modelsDir, defaultModel } = threadSetup() as ThreadSetup;
const reply = (message: CorpusReply): void => port.postMessage(message);

function embedding(): TextEmbedding | undefined {
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

const retriever = new CorpusRetriever({
  ...{ store: new CorpusStore(corpusDir), embedding },
  onIndexed: (corpus, indexed, total) => reply({ corpus, indexed, total }),
});

function answer(request: CorpusRequest): Promise<unknown> {
  switch (request.what) {
    case 'search':
      return retriever.search(request.search);
    case 'pending':
      return retriever.pending(request.corpus, request.model, request.count);
    case 'label':
      return retriever.label(request.corpus, request.model, request.labels);
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
