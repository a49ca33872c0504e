// Inferences without an answer: each has a slot and a flag, shared with the workers, that stops it.
import { RouterError } from '../../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../core/inference.ts';
import type { Job } from './messages.ts';

const NO_STATE = new Uint8Array(0);

export interface Pending {
  readonly job: Omit<Job, 'offset' | 'stateOffset'>;
  readonly data: Uint8Array;
  readonly state: Uint8Array;
  readonly version: number;
  /** Whether the caller has its answer. The slot is taken until the worker has finished. */
  settled: boolean;
  resolve(inference: Inference): void;
  reject(error: RouterError): void;
}

export class JobTable {
  readonly flags: Int32Array;
  readonly #free: number[];
  /** By slot. */
  readonly #pending: (Pending | undefined)[];

  constructor(slots: number) {
    this.flags = new Int32Array(new SharedArrayBuffer(4 * slots));
    this.#pending = Array.from({ length: slots });
    this.#free = Array.from({ length: slots }, (_, slot) => slots - 1 - slot);
  }

  get size(): number {
    return this.#pending.length - this.#free.length;
  }

  get isFull(): boolean {
    return this.#free.length === 0;
  }

  get(slot: number): Pending | undefined {
    return this.#pending[slot];
  }

  /** Takes a slot. The promise settles once: with the answer, or as soon as the caller leaves. */
  add(
    job: Omit<Job, 'offset' | 'stateOffset' | 'slot'>,
    { data, state = NO_STATE }: Pick<InferenceInput, 'data' | 'state'>,
    version: number,
    { signal, deadlineMs }: CallContext,
  ): { readonly pending: Pending; readonly answer: Promise<Inference> } {
    const slot = this.#free.pop()!;
    Atomics.store(this.flags, slot, 0);
    const { promise, resolve, reject } = Promise.withResolvers<Inference>();
    const settle = (settleResult: () => void): void => {
      if (pending.settled) return;
      pending.settled = true;
      signal.removeEventListener('abort', cancel);
      clearTimeout(timer);
      settleResult();
    };
    const stop = (error: RouterError): void => {
      Atomics.store(this.flags, slot, 1);
      settle(() => reject(error));
    };
    const cancel = (): void => stop(RouterError.from(signal.reason));
    const pending: Pending = {
      job: { ...job, slot },
      data,
      state,
      version,
      settled: false,
      resolve: (inference) => settle(() => resolve(inference)),
      reject: (error) => settle(() => reject(error)),
    };
    this.#pending[slot] = pending;
    const timer = after(deadlineMs, () => stop(new RouterError('DEADLINE_EXCEEDED', 'the deadline has passed')));
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    return { pending, answer: promise };
  }

  release(slot: number): void {
    if (this.#pending[slot] === undefined) return;
    this.#pending[slot] = undefined;
    this.#free.push(slot);
  }
}

/** setTimeout takes at most 2³¹ − 1 ms; later deadlines are ignored. */
function after(deadlineMs: number, passed: () => void): NodeJS.Timeout | undefined {
  const left = deadlineMs - performance.now();
  return left < 2 ** 31 ? setTimeout(passed, Math.max(0, left)) : undefined;
}
