// A real simulation thread and what it answers, without the engine around it.
import { Thread } from '../../services/engines/local/thread.ts';
import type { Recording } from '../../services/engines/engine.ts';
import type { Answer, NetworkChange, RecordingAnswer } from '../../services/engines/local/messages.ts';
import type { Network } from '../../services/engines/local/network.ts';
import { type FromSimulation, unpackAnswers } from '../../services/engines/local/packed-answers.ts';
import { type JobData, packBatch } from '../../services/engines/local/packed-batch.ts';
import { toShared } from '../../services/engines/local/shared-clock.ts';

const SCRIPT = new URL('../../services/engines/local/simulation-thread.ts', import.meta.url);
const SLOTS = 64;

type Message = FromSimulation | RecordingAnswer;

/** A job with an input of binary32 numbers. */
export function jobOf(
  slot: number,
  model: string,
  input: readonly number[],
  steps: number,
  more: Partial<JobData['job']> = {},
  state = new Uint8Array(0),
): JobData {
  const times = { receivedMs: toShared(performance.now()), deadlineMs: Infinity };
  const plain = { returnState: false, digestOnly: false, detail: 'SUMMARY' } as const;
  const sizes = { steps, length: input.length, stateLength: state.length };
  const data = new Uint8Array(Float32Array.from(input).buffer);
  return { job: { slot, model, ...sizes, ...plain, ...times, ...more }, data, state };
}

export class SimulationPort {
  readonly flags = new Int32Array(new SharedArrayBuffer(4 * SLOTS));
  readonly #thread: Thread;

  constructor(networks: Readonly<Record<string, Network>>, recorderBytes: number) {
    const setup = { flags: this.flags, networks: new Map(Object.entries(networks)), recorderBytes };
    this.#thread = new Thread(SCRIPT, setup);
  }

  /** The answers to a batch, message by message. One batch at a time. */
  async batch(...jobs: readonly JobData[]): Promise<(readonly Answer[])[]> {
    const batch = packBatch(jobs);
    const answers: (readonly Answer[])[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const take = (message: Message): void => {
      if (!('bytes' in message)) return;
      answers.push(unpackAnswers(message));
      if (message.batchDone) resolve(undefined);
    };
    this.#thread.on('message', take).once('error', reject);
    this.#thread.postMessage(batch, [batch.bytes]);
    await promise;
    this.#thread.off('message', take).off('error', reject);
    return answers;
  }

  async run(job: JobData): Promise<Answer> {
    return (await this.batch(job)).flat()[0]!;
  }

  recording(number: number): Promise<Recording | undefined> {
    return new Promise((resolve) => {
      this.#thread.once('message', (message: Message) => resolve((message as RecordingAnswer).recording));
      this.#thread.postMessage({ recording: number });
    });
  }

  change(change: NetworkChange): void {
    this.#thread.postMessage(change);
  }

  async end(): Promise<void> {
    await this.#thread.terminate();
  }
}
