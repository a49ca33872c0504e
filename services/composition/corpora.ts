// The corpora of the folder that the settings name.
import { CorpusRetriever } from '../agents/retrieval/corpus-retriever.ts';
import { loadTextEmbedding } from '../agents/retrieval/load-embedding.ts';
import type { TextEmbedding } from '../agents/retrieval/text-embedding.ts';
import type { Retriever } from '../agents/retriever.ts';
import type { Settings } from '../config/schema.ts';
import { CorpusStore } from '../corpora/corpus-store.ts';
import type { ModelRepository } from '../models/repository.ts';
import type { Log } from '../telemetry/log.ts';

/** Where no model has an embedding, or its file cannot be read, corpora are searched by their words alone. */
export function makeRetriever(settings: Settings, models: ModelRepository, log: Log): Retriever {
  const embedding = (): TextEmbedding | undefined => {
    try {
      const found = loadTextEmbedding(settings.models_dir, models);
      if (found === undefined) log.warn('no model has an embedding for texts: corpora are searched by words alone');
      return found;
    } catch (err) {
      log.error({ err }, 'the embedding for texts cannot be read: corpora are searched by words alone');
      return undefined;
    }
  };
  return new CorpusRetriever({ store: new CorpusStore(settings.agents.corpus_dir), embedding });
}
