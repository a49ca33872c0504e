// A thread that answers messages, one at a time. It starts with the first message, and ends when it has had none for a while, to
// free its memory.
import { Thread } from './thread.ts';

const IDLE_MS = 5_000;

export class IdleThread<Request, Reply> {
  readonly #script: URL;
  #thread: Thread | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** `script` must call `threadSetup()`. */
  constructor(script: URL) {
    this.#script = script;
  }

  /** Not before the last one has ended. Rejects if the thread ends meanwhile. */
  async ask(request: Request): Promise<Reply> {
    clearTimeout(this.#idle);
    const thread = (this.#thread ??= this.#start());
    thread.ref();
    let why = 'its thread exited';
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const failed = (error: Error): void => void (why = error.message);
    const exited = (): void => reject(new Error(why)); // follows every 'error', too
    thread.once('message', resolve).once('error', failed).once('exit', exited);
    thread.postMessage(request);
    try {
      return await promise;
    } finally {
      thread.off('message', resolve).off('error', failed).off('exit', exited).unref();
      this.#idle = setTimeout(() => void this.end(), IDLE_MS).unref();
    }
  }

  /** Ends the thread; the next message starts another one. */
  async end(): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  #start(): Thread {
    const thread = new Thread(this.#script);
    thread.on('error', () => undefined); // the caller of ask() gets the error
    return thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
  }
}
