// Starts a request's trace and records facts of its answer: digests, names and grades, never payloads.
import type { CallerAccount } from '../auth/caller-account.ts';
import type { OpenSpan, RequestTrace } from '../core/request-trace.ts';
import { KEEP_TRACE } from '../core/trace-parent.ts';
import type { Metadata } from '../grpc/metadata.ts';
import type { ReasonAnswer } from '../routing/router.ts';
import type { Tracing } from '../telemetry/tracing.ts';

/** `method`: see Tracing.begin. `metadata`: of the call, for its W3C Trace Context. `owner`: the caller. */
export function beginTrace(
  tracing: Tracing,
  method: string,
  metadata: Metadata,
  startedMs: number,
  owner: object | undefined,
): RequestTrace {
  const traceParent = only(metadata.get('traceparent'));
  const traceState = traceParent === '' ? '' : metadata.get('tracestate').join(',');
  const isOwn = metadata.first(KEEP_TRACE.name) === KEEP_TRACE.value;
  const trace = tracing.begin(method, startedMs, traceParent, traceState, isOwn);
  if (trace.about.isSampled && owner !== undefined) trace.root.set('tandem.caller', (owner as CallerAccount).name);
  return trace;
}

/** Two values count as none, since it is unclear which one is meant. */
function only(values: readonly string[]): string {
  return values.length === 1 ? values[0]! : '';
}

export function noteAnswer(span: OpenSpan | undefined, { answer, cache, grade }: ReasonAnswer): void {
  if (span === undefined) return;
  span.set('tandem.cache', cache);
  span.set('tandem.grade', grade);
  span.set('tandem.digest', answer.inference.stateDigest);
  span.set('tandem.engine', answer.engine.id);
}
