// The newest disputes with their inputs, so that a visitor can replay them.
import { Recent } from './recent.ts';
import type { DisputeInput, DisputeView } from './sources.ts';

const MAX_DISPUTES = 200;
const MAX_INPUT_BYTES = 8 * 1_048_576;

export class DisputeList extends Recent<DisputeView> {
  readonly #maxInputBytes: number;
  /** By dispute id, oldest first. */
  readonly #inputs = new Map<string, DisputeInput>();
  #inputBytes = 0;

  constructor(max = MAX_DISPUTES, maxInputBytes = MAX_INPUT_BYTES) {
    super(max);
    this.#maxInputBytes = maxInputBytes;
  }

  /** `input.data` must not be a view into a larger buffer. The oldest inputs are dropped to make room. */
  keepInput(id: string, input: DisputeInput): void {
    if (input.data.length > this.#maxInputBytes) return;
    this.#inputs.set(id, input);
    this.#inputBytes += input.data.length;
    for (const [oldest, { data }] of this.#inputs) {
      if (this.#inputs.size <= this.max && this.#inputBytes <= this.#maxInputBytes) break;
      this.#inputs.delete(oldest);
      this.#inputBytes -= data.length;
    }
  }

  /** Undefined: not stored, or dropped. */
  input(id: string): DisputeInput | undefined {
    return this.#inputs.get(id);
  }
}
