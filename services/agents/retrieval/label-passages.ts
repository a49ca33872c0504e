// Labels the passages of a corpus by the text model, a few at a time. It may stop at any moment: labels are stored as
// they arrive, and the next run continues after them.
import { setTimeout as delay } from 'node:timers/promises';
import { ERROR_KINDS, RouterError, type StatusCode } from '../../core/errors.ts';
import type { CorpusSearcher } from './corpus-searcher.ts';

/** Passages whose labels are stored in one write. */
const BATCH = 64;
/** Passages that are labelled at the same time. Few, since callers share the engines and the event loop with them. */
const AT_ONCE = 2;
/** Delay after a temporary failure, such as a full router. */
const RETRY_MS = 1_000;
const MAX_RETRIES = 60;
const MAY_PASS: readonly StatusCode[] = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED'];

export type PassageStore = Pick<CorpusSearcher, 'pending' | 'label'>;

export interface TextModel {
  /** "name/version". */
  readonly key: string;
  label(text: string): Promise<string>;
}

export interface LabelOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  readonly retryMs?: number;
}

/**
 * Returns the number of passages. Rejects with the signal's reason if it is aborted, else with the error that stopped
 * it.
 */
export async function labelPassages(
  corpora: PassageStore,
  corpus: string,
  model: TextModel,
  { signal, onProgress, retryMs = RETRY_MS }: LabelOptions,
): Promise<number> {
  const again = <T>(work: () => Promise<T>): Promise<T> => retrying(work, signal, retryMs);
  for (;;) {
    const { texts, done, total } = await again(() => corpora.pending(corpus, model.key, BATCH));
    signal.throwIfAborted();
    onProgress(done, total);
    if (texts.length === 0) return total;
    const labels = new Map<string, string>();
    const queue = texts.values();
    const work = async (): Promise<void> => {
      for (const text of queue) labels.set(text, await again(() => labelOf(text, model)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await again(() => corpora.label(corpus, model.key, labels));
  }
}

async function labelOf(text: string, model: TextModel): Promise<string> {
  try {
    return await model.label(text);
  } catch (thrown) {
    if (RouterError.from(thrown).kind === 'TEXT_EMPTY') return '';
    throw thrown;
  }
}

/** Retries while the router is full or a database is unavailable. */
async function retrying<T>(work: () => Promise<T>, signal: AbortSignal, retryMs: number): Promise<T> {
  for (let retries = 0; ; retries += 1) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (thrown) {
      const error = RouterError.from(thrown);
      if (!MAY_PASS.includes(ERROR_KINDS[error.kind].code) || retries === MAX_RETRIES) throw error;
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined); // it is looked at above
  }
}
