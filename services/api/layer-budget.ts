// Limits the details in the answer to one batch. A single answer has the details of one run; a batch would have those
// of a thousand in one message.
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { detailNumbers } from '../routing/answer.ts';

/** At most 4 bytes each: half of the 4 MiB that gRPC clients accept by default. */
export const MAX_BATCH_LAYER_NUMBERS = 500_000;

export class LayerBudget {
  #remaining = MAX_BATCH_LAYER_NUMBERS;

  /** Throws DETAIL_TOO_LARGE if the answer's details do not fit. */
  take(inference: Pick<Inference, 'layers' | 'readoutPerStep'>): void {
    const numbers = detailNumbers(inference);
    if (numbers > this.#remaining) {
      const message = `the details of a batch's answers hold ${MAX_BATCH_LAYER_NUMBERS} numbers at most, and ${this.#remaining} are left for the ${numbers} of this one; send fewer in a batch, or use ReasonStream`;
      throw new RouterError('DETAIL_TOO_LARGE', message, { field: 'detail' });
    }
    this.#remaining -= numbers;
  }
}
