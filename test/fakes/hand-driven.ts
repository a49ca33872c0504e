// An engine, as the path asks it, that answers when the test says so.
import { type ErrorKind, RouterError } from '../../services/core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../services/core/inference.ts';
import type { Askable } from '../../services/routing/ask.ts';
import { fakeInference } from './fake-engine.ts';

export class HandDriven implements Askable {
  readonly id: string;
  readonly kind = 'sidecar';
  readonly admits = true;
  readonly whyNot = '';
  /** Of the last request; undefined: it was not asked. */
  signal: AbortSignal | undefined;
  answer: (stateDigest?: bigint, over?: Partial<Inference>) => void = () => undefined;
  fail: (kind: ErrorKind) => void = () => undefined;

  constructor(id: string) {
    this.id = id;
  }

  get wasAsked(): boolean {
    return this.signal !== undefined;
  }

  infer(_input: InferenceInput, { signal }: CallContext): Promise<Inference> {
    this.signal = signal;
    return new Promise((resolve, reject) => {
      this.answer = (stateDigest = 99n, over = {}) => resolve(fakeInference({ stateDigest, ...over }));
      this.fail = (kind) => reject(new RouterError(kind, 'on purpose'));
      signal.addEventListener('abort', () => reject(RouterError.from(signal.reason)));
    });
  }
}
