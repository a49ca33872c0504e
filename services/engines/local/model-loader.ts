// Loads models in a thread of their own, one at a time. A file that crashes or hangs the reader costs that thread only.
import type { LoadedModel, LoadRequest } from './messages.ts';
import { brokenModel } from './broken-model.ts';
import { Thread } from './thread.ts';

/** The largest allowed file takes a few seconds. */
const TIMEOUT_MS = 30_000;

export class ModelLoader {
  #worker: Thread | undefined;

  /** `timeoutMs` counts from when the thread has started, which may take long on a busy machine. Never rejects: what is wrong with a model is in `model.error`. Not to be called while another load runs. */
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

  /** Gives the reader's memory back; the next load starts it again. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Thread {
    const worker = new Thread(new URL('./loader-thread.ts', import.meta.url));
    // Also one that dies between two loads is replaced.
    return worker.on('error', () => this.#drop(worker));
  }

  #drop(worker: Thread): void {
    if (this.#worker === worker) this.#worker = undefined;
    void worker.terminate();
  }
}
