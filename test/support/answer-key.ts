import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';

/** Everything an engine says that a caller may build upon. */
export function answerKey({ stateDigest, label, spikeCounts, scores }: ReasonResponse): string {
  return JSON.stringify([String(stateDigest), label, spikeCounts, scores]);
}
