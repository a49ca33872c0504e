// Loads models in a separate thread, one at a time. A file that makes the reader crash or hang affects only that
// thread.
import type { LoadedModel, LoadRequest } from './messages.ts';
import { brokenModel } from './broken-model.ts';
import { Thread } from './thread.ts';

/** The largest allowed file takes a few seconds. */
const TIMEOUT_MS = 30_000;

export class ModelLoader {
  #worker: Thread | undefined;

  /**
   * `timeoutMs` counts from the start of the thread's work, since starting it may take long on a busy machine. Never
   * rejects: an error is in `model.error`. Must not be called while another load runs.
   */
  load(request: LoadRequest, timeoutMs = TIMEOUT_MS): Promise<LoadedModel> {
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve) => {
      let isOver = false;
      let timer: NodeJS.Timeout | undefined;
      const finish = (loaded: LoadedModel): void => {
        isOver = true;
        clearTimeout(timer);
        worker.off('message', finish).off('error', crashed).off('exit', exited);
        if (loaded.isReaderBroken) this.#drop(worker);
        resolve(loaded);
      };
      const fail = (problem: string, isLate = false): void => {
        const model = brokenModel(request, `model.nir: ${problem}`);
        finish({ model, network: undefined, isReaderBroken: true, isLate });
      };
      const crashed = (error: Error): void => fail(`reading it failed: ${error.message}`);
      const exited = (): void => fail('reading it ended the reader');
      const giveUp = (): void => fail(`reading it took longer than ${timeoutMs} ms`, true);
      void worker.settled.then(() => {
        if (!isOver) timer = setTimeout(giveUp, timeoutMs);
      });
      worker.on('message', finish).on('error', crashed).on('exit', exited);
      worker.postMessage(request);
    });
  }

  /** Releases the reader's memory; the next load starts it again. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Thread {
    const worker = new Thread(new URL('./loader-thread.ts', import.meta.url));
    // A thread that dies between two loads is replaced, too.
    return worker.on('error', () => this.#drop(worker));
  }

  #drop(worker: Thread): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }
}
