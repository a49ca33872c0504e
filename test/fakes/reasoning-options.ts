import type { ReasoningOptions } from '../../services/api/reasoning.ts';
import { OpenCalls } from '../../services/api/open-calls.ts';
import { fakeTracing, silent } from './fake-parts.ts';

/** Options of the calls that reason, with high limits, except for `over`. */
export function reasoningOptions(over: Partial<ReasoningOptions> = {}): ReasoningOptions {
  return {
    ...{ windowSize: 128, timeoutMs: 60_000, maxBatchItems: 100, maxInFlight: 100 },
    ...{ observer: silent, tracing: fakeTracing(), calls: new OpenCalls() },
    ...{ drained: new AbortController().signal, onInternalError: () => undefined },
    ...over,
  };
}
