// An engine of a benchmark: it computes nothing, and answers all inputs together in the next turn of the event loop,
// like a sidecar.
import { RouterError } from '../../services/core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../services/core/inference.ts';
import type { EngineModel } from '../../services/engines/engine.ts';
import { FakeEngine, fakeInference } from '../fakes/fake-engine.ts';

interface Waiting {
  readonly resolve: (inference: Inference) => void;
  readonly context: CallContext;
  readonly onAbort: () => void;
}

export class TurnEngine extends FakeEngine {
  readonly #answer: Inference;
  #waiting: Waiting[] = [];

  constructor(id: string, model: EngineModel, { outputSize, steps }: { outputSize: number; steps: number }) {
    super(id);
    const spikeCounts = Array.from({ length: outputSize }, (_, k) => k % steps);
    this.#answer = fakeInference({ steps, spikeCounts, potentials: Buffer.alloc(4 * outputSize) });
    this.up(model);
  }

  override infer(_input: InferenceInput, context: CallContext): Promise<Inference> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(RouterError.from(context.signal.reason));
      context.signal.addEventListener('abort', onAbort, { once: true });
      if (this.#waiting.length === 0) setImmediate(() => this.#answerAll());
      this.#waiting.push({ resolve, context, onAbort });
      this.inFlight += 1;
    });
  }

  #answerAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve, context, onAbort } of waiting) {
      context.signal.removeEventListener('abort', onAbort);
      this.inFlight -= 1;
      resolve({ ...this.#answer });
    }
  }
}
