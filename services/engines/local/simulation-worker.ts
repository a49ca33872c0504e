// The main thread's side of one simulation worker: sends batches, receives answers, and restarts the worker when it
// dies.
import type { Recording } from '../engine.ts';
import type { Answer, NetworkChange, RecordingAnswer, RecordingRequest, SimulationSetup } from './messages.ts';
import type { FromSimulation } from './packed-answers.ts';
import { unpackAnswers } from './packed-answers.ts';
import type { JobData } from './packed-batch.ts';
import { packBatch } from './packed-batch.ts';
import { Thread } from './thread.ts';

const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 30_000;
/** One batch running and one waiting, so that the worker is never idle. */
const MAX_BATCHES = 2;

interface SimulationEvents {
  answered(answers: readonly Answer[]): void;
  /** A batch has ended: there is room for another. */
  free(): void;
  /** Jobs that will never be answered, because the worker died. The worker restarts automatically. */
  lost(slots: readonly number[], why: string): void;
  /** The worker runs (again). */
  ready(): void;
}

export class SimulationWorker {
  readonly #script: URL;
  readonly #setup: SimulationSetup;
  readonly #events: SimulationEvents;
  readonly #slots = new Set<number>();
  /** Pending requests for recordings, in order. */
  readonly #waiting: ((recording: Recording | undefined) => void)[] = [];
  #worker: Thread | undefined;
  #batches = 0;
  #life = 0;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = RESTART_MIN_MS;
  #stopped = false;

  constructor(script: URL, setup: SimulationSetup, events: SimulationEvents) {
    this.#script = script;
    this.#setup = setup;
    this.#events = events;
  }

  /** Threads started so far: each has its own recordings. */
  get life(): number {
    return this.#life;
  }

  get isUp(): boolean {
    return this.#worker !== undefined;
  }

  get batches(): number {
    return this.#batches;
  }

  get hasRoom(): boolean {
    return this.isUp && this.#batches < MAX_BATCHES;
  }

  start(): void {
    const worker = new Thread(this.#script, this.#setup);
    let why = 'its worker exited';
    worker.on('message', (message: FromSimulation | RecordingAnswer) => {
      if ('bytes' in message) this.#receive(message);
      else this.#waiting.shift()!(message.recording);
    });
    worker.on('error', (error: Error) => (why = `its worker failed: ${error.message}`));
    // Follows every 'error', too.
    worker.on('exit', () => this.#died(worker, why));
    this.#worker = worker;
    this.#life += 1;
    this.#events.ready();
  }

  /** Call only if there is room. */
  send(jobs: readonly JobData[]): void {
    for (const { job } of jobs) this.#slots.add(job.slot);
    this.#batches += 1;
    const batch = packBatch(jobs);
    this.#worker?.postMessage(batch, [batch.bytes]);
  }

  /** Fetches a recording by number. Resolves to undefined if the thread does not have it or is gone. */
  recording(number: number): Promise<Recording | undefined> {
    const worker = this.#worker;
    if (worker === undefined) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<Recording | undefined>();
    this.#waiting.push(resolve);
    worker.postMessage({ recording: number } satisfies RecordingRequest);
    return promise;
  }

  /** Applies to batches sent from now on. The setup's `networks` must have it, too, for later threads. */
  change(change: NetworkChange): void {
    this.#worker?.postMessage(change);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    await this.#worker?.terminate();
  }

  #receive(message: FromSimulation): void {
    const answers = unpackAnswers(message);
    for (const answer of answers) this.#slots.delete(answer.slot);
    if (message.batchDone) {
      this.#batches -= 1;
      this.#restartMs = RESTART_MIN_MS;
    }
    this.#events.answered(answers);
    if (message.batchDone) this.#events.free();
  }

  #died(worker: Thread, why: string): void {
    if (this.#worker !== worker) return;
    const slots = [...this.#slots];
    this.#slots.clear();
    this.#batches = 0;
    this.#worker = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    if (this.#stopped) return;
    this.#restart = setTimeout(() => this.start(), this.#restartMs);
    this.#restartMs = Math.min(2 * this.#restartMs, RESTART_MAX_MS);
    this.#events.lost(slots, why);
  }
}
