// Runs the indexing of corpora as operations: one at a time per corpus, restarted if a restart of the router
// interrupted it.
import { type PassageStore, type TextModel, labelPassages } from '../agents/retrieval/label-passages.ts';
import { RouterError } from '../core/errors.ts';
import { orStopped } from '../core/or-stopped.ts';
import type { Operations, RunningOperation } from '../operations/operations.ts';

const KIND = 'index';

export interface IndexingParts {
  readonly corpora: PassageStore;
  readonly operations: Operations;
  /** Empty: the only corpus. Throws UNKNOWN_CORPUS or CORPUS_UNAVAILABLE. */
  readonly nameOf: (corpus: string) => Promise<string>;
  /** Undefined: no model takes text. */
  readonly textModel: () => TextModel | undefined;
  readonly onInternalError: (corpus: string, error: RouterError) => void;
}

interface StartedIndexing {
  readonly operationId: string;
  readonly corpus: string;
}

export class Indexing {
  readonly #parts: IndexingParts;
  /** By corpus. */
  readonly #running = new Map<string, RunningOperation>();
  readonly #stopped = new AbortController();

  constructor(parts: IndexingParts) {
    this.#parts = parts;
  }

  /**
   * Starts an operation, or returns the running one. `corpus` empty: the only corpus. Throws UNKNOWN_CORPUS or
   * CORPUS_UNAVAILABLE.
   */
  async begin(corpus: string): Promise<StartedIndexing> {
    return this.#begin(await this.#parts.nameOf(corpus));
  }

  /** Call while a corpus is indexed. A passage without a label counts half. */
  indexed(corpus: string, done: number, total: number): void {
    this.#running.get(corpus)?.progress(Math.floor(done / 2), total);
  }

  /** Restarts the operations that a restart of the router interrupted. */
  async resume(): Promise<void> {
    await Promise.all(this.#parts.operations.interrupted(KIND).map(({ subject }) => this.#resume(subject)));
  }

  /** A running operation stays recorded as running, so that the next start restarts it. */
  stop(): void {
    this.#stopped.abort();
  }

  async #resume(corpus: string): Promise<void> {
    try {
      await this.#parts.nameOf(corpus);
    } catch (thrown) {
      // It was removed since. If only its database is unavailable, the operation waits for it.
      if (RouterError.from(thrown).kind === 'UNKNOWN_CORPUS') return;
    }
    if (!this.#stopped.signal.aborted) this.#begin(corpus);
  }

  #begin(name: string): StartedIndexing {
    const known = this.#running.get(name);
    if (known !== undefined) return { operationId: known.id, corpus: name };
    const cancelled = new AbortController();
    const operation = this.#parts.operations.begin(KIND, name, () => {
      const message = 'the operation was cancelled; the labels until then are kept';
      cancelled.abort(new RouterError('CANCELLED', message));
    });
    this.#running.set(name, operation);
    void this.#run(name, operation, AbortSignal.any([cancelled.signal, this.#stopped.signal]));
    return { operationId: operation.id, corpus: name };
  }

  async #run(name: string, operation: RunningOperation, signal: AbortSignal): Promise<void> {
    const { onInternalError } = this.#parts;
    try {
      const result = await orStopped(this.#index(name, operation, signal), signal);
      operation.succeed(result);
    } catch (thrown) {
      if (this.#stopped.signal.aborted) return;
      const error = RouterError.from(thrown);
      if (error.kind === 'INTERNAL') onInternalError(name, error);
      operation.fail(error);
    } finally {
      this.#running.delete(name);
    }
  }

  async #index(name: string, { progress }: RunningOperation, signal: AbortSignal): Promise<string> {
    const { corpora, textModel } = this.#parts;
    const model = textModel();
    if (model === undefined) {
      const { total } = await corpora.pending(name, '', 0);
      return `${total} passages indexed; no model takes text, so they have no labels`;
    }
    const onProgress = (done: number, total: number): void => progress(Math.floor((total + done) / 2), total);
    const total = await labelPassages(corpora, name, model, { signal, onProgress });
    return `${total} passages indexed, labelled by ${model.key}`;
  }
}
