import type { ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';

/** All fields of an answer that a caller may rely on. */
export function answerKey({ stateDigest, label, spikeCounts, scores }: ReasonResponse): string {
  return JSON.stringify([String(stateDigest), label, spikeCounts, scores]);
}
