// A worker thread that may be ended at any time. V8 aborts the whole process if a thread is ended at the moment when
// one of its modules resumes from a top-level `await` (nodejs/node#53238). So ending a thread that still loads waits
// until it has loaded, about 100 ms.
import { Worker, workerData } from 'node:worker_threads';

interface Given {
  readonly setup: unknown;
  /** Not 0: its modules are loaded. */
  readonly loaded: Int32Array<SharedArrayBuffer>;
}

export class Thread extends Worker {
  /** Resolves when its modules are loaded, or it has ended. */
  readonly settled: Promise<unknown>;

  /** `script` must call `threadSetup()`, which gives it `setup`. */
  constructor(script: URL, setup?: unknown) {
    const loaded = new Int32Array(new SharedArrayBuffer(4));
    super(script, { workerData: { setup, loaded } satisfies Given });
    const { async: mustWait, value } = Atomics.waitAsync(loaded, 0, 0);
    const exited = new Promise((resolve) => this.once('exit', resolve));
    this.settled = mustWait ? Promise.race([value, exited]) : Promise.resolve();
  }

  override async terminate(): Promise<number> {
    await this.settled;
    return await super.terminate();
  }
}

/** For the thread itself, when it runs. */
export function threadSetup(): unknown {
  const { setup, loaded } = workerData as Given;
  // Not before the calling module, and the modules that import it, have been evaluated.
  setImmediate(() => {
    Atomics.store(loaded, 0, 1);
    Atomics.notify(loaded, 0);
  });
  return setup;
}
