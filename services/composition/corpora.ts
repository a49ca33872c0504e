// Builds the corpora of the settings' folder and database, and their indexing.
import { Corpora } from '../agents/retrieval/corpora.ts';
import type { DatabaseSetup } from '../agents/retrieval/corpus-messages.ts';
import type { TextModel } from '../agents/retrieval/label-passages.ts';
import type { Retriever } from '../agents/retriever.ts';
import { Indexing } from '../api/index-corpus.ts';
import type { PostgresSettings } from '../config/postgres-settings.ts';
import type { Settings } from '../config/schema.ts';
import { Call } from '../core/call.ts';
import { type ModelRepository, keyOf } from '../models/repository.ts';
import type { Operations } from '../operations/operations.ts';
import type { Router } from '../routing/router.ts';
import type { Log } from '../telemetry/log.ts';

const NO_INPUT = { field: 'encoding', shape: [0], dtype: 'FP32', data: Buffer.alloc(0) } as const;

interface CorporaParts {
  readonly models: ModelRepository;
  readonly router: Router;
  readonly operations: Operations;
}

interface CorporaInUse {
  readonly retriever: Retriever;
  readonly indexing: Indexing;
  stop(): Promise<void>;
}

export function makeCorpora(settings: Settings, parts: CorporaParts, log: Log): CorporaInUse {
  const { models, router, operations } = parts;
  const { corpus_dir: corpusDir, postgres } = settings.agents;
  const { models_dir: modelsDir, default_model: defaultModel } = settings;
  const corpora = new Corpora({
    ...{ corpusDir, modelsDir, defaultModel },
    database: databaseSetup(postgres),
    onWarning: (text) => log.warn(text),
    onIndexed: (...progress) => indexing.indexed(...progress),
  });
  const textModel = (): TextModel | undefined => {
    const found = models.textVersion;
    if (found === undefined) return undefined;
    const question = {
      ...{ model: found.name, modelVersion: found.version, input: NO_INPUT },
      // There are many passages, each labelled once: they would evict callers' answers from the cache.
      ...({ cache: 'BYPASS', strategy: undefined, vote: undefined } as const),
    };
    return {
      key: keyOf(found),
      label: async (text) => {
        const context = new Call(performance.now() + settings.request_timeout_ms);
        return (await router.reason({ ...question, text }, context)).answer.label;
      },
    };
  };
  const indexing = new Indexing({
    ...{ corpora, operations, textModel },
    nameOf: (corpus) => corpora.nameOf(corpus),
    onInternalError: (corpus, err) => log.error({ corpus, err: err.cause ?? err }, 'a corpus cannot be indexed'),
  });
  return {
    retriever: corpora,
    indexing,
    stop: () => {
      indexing.stop();
      return corpora.stop();
    },
  };
}

function databaseSetup({ url, max_connections, timeout_ms }: PostgresSettings): DatabaseSetup | undefined {
  return url === '' ? undefined : { url, maxConnections: max_connections, timeoutMs: timeout_ms };
}
