// Labels the passages of a corpus by the text model, a few at a time. It may stop at any moment: labels are stored as
// they arrive, and the next run continues after them.
import { setTimeout as delay } from 'node:timers/promises';
import { ERROR_KINDS, RouterError, type StatusCode } from '../../core/errors.ts';
import type { Pending } from './corpus-retriever.ts';

/** Passages whose labels are stored in one write. */
const BATCH = 64;
/** Passages that are labelled at the same time. Few, since callers share the engines and the event loop with them. */
const AT_ONCE = 2;
/** Delay after a temporary failure, such as a full router. */
const RETRY_MS = 1_000;
const MAX_RETRIES = 60;
const MAY_PASS: readonly StatusCode[] = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED'];

export interface PassageStore {
  pending(corpus: string, model: string, count: number): Promise<Pending>;
  label(corpus: string, model: string, labels: ReadonlyMap<string, string>): Promise<void>;
}

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
  for (;;) {
    const { texts, done, total } = await corpora.pending(corpus, model.key, BATCH);
    signal.throwIfAborted();
    onProgress(done, total);
    if (texts.length === 0) return total;
    const labels = new Map<string, string>();
    const queue = texts.values();
    const work = async (): Promise<void> => {
      for (const text of queue) labels.set(text, await labelOf(text, model, signal, retryMs));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await corpora.label(corpus, model.key, labels);
  }
}

async function labelOf(text: string, model: TextModel, signal: AbortSignal, retryMs: number): Promise<string> {
  for (let retries = 0; ; retries += 1) {
    signal.throwIfAborted();
    try {
      return await model.label(text);
    } catch (thrown) {
      const error = RouterError.from(thrown);
      if (error.kind === 'TEXT_EMPTY') return '';
      if (!MAY_PASS.includes(ERROR_KINDS[error.kind].code) || retries === MAX_RETRIES) throw error;
    }
    await delay(retryMs, undefined, { signal }).catch(() => undefined); // it is looked at above
  }
}
