// A malformed answer: its form alone shows that it is wrong (engines/ checks that on receipt). For the request it is a
// fault, and another engine is asked. For the quarantine it counts as a dissent.
import type { RouterError } from '../core/errors.ts';
import type { InferenceInput } from '../core/inference.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import { malformedReason } from '../core/refusal.ts';
import type { Dispute } from './dispute.ts';

interface Context {
  readonly input: InferenceInput;
  readonly strategy: string;
  readonly span: OpenSpan | undefined;
}

/** Undefined if `error` is not about a malformed answer. */
export function malformedDispute(
  engineId: string,
  error: RouterError,
  durationMs: number,
  { input, strategy, span }: Context,
): Dispute | undefined {
  const reason = malformedReason(error);
  if (reason === undefined) return undefined;
  const digests = { stateDigest: undefined, readoutDigest: undefined, recordingId: error.recordingId };
  const ballot = { engineId, ...digests, outcome: 'ABSENT', why: whyAbsent(error), durationMs } as const;
  return { input, strategy, verdict: 'MALFORMED', ballots: [ballot], wrong: [engineId], right: undefined, span };
}

/** Example: "ENGINE_LOST"; "ENGINE_FAULT: malformed: a potential that is not finite". */
export function whyAbsent(error: RouterError): string {
  const reason = malformedReason(error);
  return reason === undefined ? error.kind : `${error.kind}: malformed: ${reason}`;
}
