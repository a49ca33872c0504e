// Counts the items of a batch while its bytes arrive, for an edge that gives access to them.
import type { CallerAccount } from '../auth/caller-account.ts';
import type { Observer } from '../core/observer.ts';
import { ReasoningServiceService } from '../generated/tandem/v1/reasoning.ts';
import type { Inspect } from '../grpc/message-reader.ts';
import { BatchCounter } from './batch-counter.ts';
import { tooManyItems } from './request-limits.ts';
import { toStatus } from './status.ts';
import { countUnheard } from './unheard.ts';

interface BatchLimits {
  readonly maxBatchItems: number;
  readonly observer: Observer;
}

/** Refuses a batch with too many items, or too many for its caller, after its first kilobytes. */
export function countItems(options: BatchLimits, owner?: CallerAccount): Inspect {
  const counter = new BatchCounter();
  const sinceMs = performance.now();
  return (bytes) => {
    const { maxBatchItems, observer } = options;
    counter.add(bytes, maxBatchItems);
    const error = counter.items > maxBatchItems ? tooManyItems(maxBatchItems) : owner?.foresee(counter.items);
    if (error === undefined) return undefined;
    countUnheard(observer, ReasoningServiceService.reasonBatch.path, error, sinceMs);
    return toStatus(error);
  };
}
