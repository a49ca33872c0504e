// Room for details in the answer of one batch. Where a call or a stream's message tells those of one run, a batch
// would tell those of a thousand, in one message.
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { detailNumbers } from '../routing/answer.ts';

/** At most 4 bytes each: half of the 4 MiB that gRPC's clients take unless told otherwise. */
export const MAX_BATCH_LAYER_NUMBERS = 500_000;

export class LayerBudget {
  #remaining = MAX_BATCH_LAYER_NUMBERS;

  /** Throws DETAIL_TOO_LARGE where the answer's details have no room. */
  take(inference: Pick<Inference, 'layers' | 'readoutPerStep'>): void {
    const numbers = detailNumbers(inference);
    if (numbers > this.#remaining) {
      const message = `the details of a batch's answers hold ${MAX_BATCH_LAYER_NUMBERS} numbers at most, and ${this.#remaining} are left for the ${numbers} of this one; send fewer in a batch, or use ReasonStream`;
      throw new RouterError('DETAIL_TOO_LARGE', message, { field: 'detail' });
    }
    this.#remaining -= numbers;
  }
}
