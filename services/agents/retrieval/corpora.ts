// Access to the corpora. Each request goes to their worker thread, which starts with the first request.
import { RouterError } from '../../core/errors.ts';
import type { CallContext } from '../../core/inference.ts';
import { orStopped } from '../../core/or-stopped.ts';
import { Thread } from '../../engines/local/thread.ts';
import type { Retriever, Search } from '../retriever.ts';
import type { Passage } from '../types.ts';
import type { NumberedRequest, CorpusReply, CorpusRequest, ThreadSetup } from './corpus-messages.ts';
import type { Pending } from './corpus-searcher.ts';

type Settle = PromiseWithResolvers<unknown>;

interface CorporaOptions extends ThreadSetup {
  readonly onWarning: (text: string) => void;
  readonly onIndexed: (corpus: string, done: number, total: number) => void;
}

export class Corpora implements Retriever {
  readonly #options: CorporaOptions;
  readonly #open = new Map<number, Settle>();
  #thread: Thread | undefined;
  #lastId = 0;

  constructor(options: CorporaOptions) {
    this.#options = options;
  }

  async search(search: Search, context: CallContext): Promise<readonly Passage[]> {
    const passages = this.#ask({ what: 'search', search });
    return (await orStopped(passages, context.signal, context.deadlineMs)) as readonly Passage[];
  }

  /** `corpus` empty: the only corpus. Throws UNKNOWN_CORPUS or CORPUS_UNAVAILABLE. */
  async nameOf(corpus: string): Promise<string> {
    return (await this.#ask({ what: 'name', corpus })) as string;
  }

  /** See CorpusSearcher. The first call indexes the corpus. */
  async pending(corpus: string, model: string, count: number): Promise<Pending> {
    return (await this.#ask({ what: 'pending', corpus, model, count })) as Pending;
  }

  /** See CorpusSearcher. */
  async label(corpus: string, model: string, labels: ReadonlyMap<string, string>): Promise<void> {
    await this.#ask({ what: 'label', corpus, model, labels });
  }

  /** Ends the thread. Requests without an answer are rejected. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#drop(new RouterError('DRAINING', 'the router is stopping; ask again once it is back'));
    await thread?.terminate();
  }

  #ask(request: CorpusRequest): Promise<unknown> {
    const thread = (this.#thread ??= this.#start());
    this.#lastId += 1;
    const settle = Promise.withResolvers<unknown>();
    this.#open.set(this.#lastId, settle);
    thread.postMessage({ id: this.#lastId, request } satisfies NumberedRequest);
    return settle.promise;
  }

  #start(): Thread {
    const { corpusDir, modelsDir, defaultModel, database } = this.#options;
    const setup: ThreadSetup = { corpusDir, modelsDir, defaultModel, database };
    const thread = new Thread(new URL('./corpus-thread.ts', import.meta.url), setup);
    const ended = (cause: unknown): void => {
      if (this.#thread !== thread) return;
      const text = 'the thread that searches corpora has ended';
      this.#drop(new RouterError('INTERNAL', 'internal error', { cause: new Error(text, { cause }) }));
    };
    thread.on('message', (message: CorpusReply) => this.#settle(message));
    return thread.on('error', ended).on('exit', ended);
  }

  #settle(message: CorpusReply): void {
    if ('warning' in message) {
      this.#options.onWarning(message.warning);
      return;
    }
    if ('indexed' in message) {
      this.#options.onIndexed(message.corpus, message.indexed, message.total);
      return;
    }
    const settle = this.#open.get(message.id);
    this.#open.delete(message.id);
    if ('result' in message) {
      settle?.resolve(message.result);
      return;
    }
    const { kind, message: text, field } = message.error;
    const cause = message.stack === '' ? undefined : new Error(message.stack);
    settle?.reject(new RouterError(kind, text, { ...(field !== undefined && { field }), ...(cause && { cause }) }));
  }

  #drop(error: RouterError): void {
    this.#thread = undefined;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(error);
  }
}
