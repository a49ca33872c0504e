// One attempt: a request on its way to one engine, what it needs, and the record of it.
import { isOver } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import { publicName } from '../core/held-name.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import type { Observer, Outcome } from '../core/observer.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import { type Work, workOf } from '../core/work.ts';
import type { Admission } from './admission.ts';
import type { Dispute } from './dispute.ts';
import { malformedDispute } from './malformed.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface Attempt {
  readonly engineId: string;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** What the engine did for it; undefined where it gave no answer. */
  readonly work?: Work | undefined;
  /** Undefined where it answered. */
  readonly error?: RouterError | undefined;
}

/** The least that an attempt needs of an engine. */
export interface EngineClient {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  /** Whether it may be asked now. */
  readonly isAvailable: boolean;
  /** Why it may not; empty where it may. */
  readonly unavailableReason: string;
  /** Requests that it may be sent now without getting more than it works off. */
  readonly availableSlots: number;
  /**
   * What one attempt with `input` may take now, milliseconds. `shareMs`: its share of the caller's time. `requests`: how many
   * such are sent at once; unset: one.
   */
  attemptMs(input: InferenceInput, shareMs: number, requests?: number): number;
  infer(input: InferenceInput, context: CallContext, timeoutMs?: number): Promise<Inference>;
}

export interface AttemptOptions {
  /** Engines that one request may try one after another. */
  readonly maxAttempts: number;
  /** An engine is given up after so long at most where another can still be asked, milliseconds. */
  readonly attemptTimeoutMs: number;
  readonly budget: RetryBudget;
  /** Where votes wait for engines without room. */
  readonly admission: Pick<Admission, 'waitForRoom'>;
  readonly observer: Observer;
  readonly onDispute: (dispute: Dispute) => void;
  /** Every engine there is, for the error of a request that none could answer. */
  readonly pool: { readonly engines: readonly EngineClient[] };
}

export interface AttemptContext {
  readonly input: InferenceInput;
  readonly context: CallContext;
  readonly options: AttemptOptions;
  /** That made the plan. */
  readonly strategy: string;
  /** Every engine asked so far, in the order in which they ended. */
  readonly attempts: Attempt[];
  /** What the attempt is called in the request's trace, before the engine's id; unset: "attempt". */
  readonly as?: 'ballot' | 'confirmation' | undefined;
}

/** Rejects with RouterError only. */
export async function attempt(engine: EngineClient, request: AttemptContext, timeoutMs = Infinity): Promise<Inference> {
  const { context, input } = request;
  const startedMs = performance.now();
  const span = context.span?.child(`${request.as ?? 'attempt'} ${engine.id}`, 'CLIENT', startedMs);
  // Where nothing is noted down, the limits are the request's own.
  const limits = span === undefined ? context : { deadlineMs: context.deadlineMs, signal: context.signal, span };
  try {
    const inference = await engine.infer(input, limits, timeoutMs);
    recordAnswer(engine, request, span, startedMs, inference);
    return inference;
  } catch (thrown) {
    const error = RouterError.from(thrown);
    recordFailure(engine, request, span, startedMs, error);
    throw error;
  }
}

export function recordFailure(
  engine: EngineClient,
  request: AttemptContext,
  span: OpenSpan | undefined,
  startedMs: number,
  error: RouterError,
): void {
  const { input, strategy, context, options } = request;
  const durationMs = record(engine, request, span, startedMs, error.kind, undefined, error);
  const dispute = malformedDispute(engine.id, error, durationMs, { input, strategy, span: context.span });
  if (dispute !== undefined) options.onDispute(dispute);
}

export function recordAnswer(
  engine: EngineClient,
  request: AttemptContext,
  span: OpenSpan | undefined,
  startedMs: number,
  inference: Inference,
): void {
  record(engine, request, span, startedMs, 'OK', inference, undefined);
}

/** Returns how long it took, milliseconds. */
function record(
  engine: EngineClient,
  { input, options, attempts }: AttemptContext,
  span: OpenSpan | undefined,
  startedMs: number,
  outcome: Outcome,
  inference: Inference | undefined,
  error: RouterError | undefined,
): number {
  const endMs = performance.now();
  const durationMs = endMs - startedMs;
  const work = inference && workOf(input, inference);
  attempts.push({ engineId: engine.id, outcome, durationMs, work, error });
  options.observer.attemptEnded(engine.id, outcome, durationMs);
  if (work !== undefined) options.observer.computed(publicName(input.model), input.version, work);
  if (span === undefined) return durationMs;
  noteOutcome(span, engine, outcome, inference);
  // One that was told to stop has done nothing wrong.
  span.end(outcome === 'OK' || outcome === 'CANCELLED' ? '' : outcome, endMs);
  return durationMs;
}

function noteOutcome(
  span: OpenSpan,
  { id, kind }: EngineClient,
  outcome: Outcome,
  inference: Inference | undefined,
): void {
  if (inference === undefined) {
    span.setAll(['tandem.engine', id, 'tandem.engine_kind', kind, 'tandem.outcome', outcome]);
    return;
  }
  const { stateDigest, queueUs, computeUs } = inference;
  // prettier-ignore
  span.setAll([
    'tandem.engine', id, 'tandem.engine_kind', kind, 'tandem.outcome', outcome,
    'tandem.digest', stateDigest, 'tandem.queue_us', queueUs, 'tandem.compute_us', computeUs,
  ]);
}

/** Whether no other engine can do better: the error is not the engine's, or the caller has left. */
export function isFinal(error: RouterError, context: CallContext): boolean {
  return !error.retryable || isOver(context);
}

/**
 * Whether the attempt counts as none. Several engines that are told to stop at once, as when fewer are wanted, cost nothing;
 * an engine whose messages are too small for the input was sent nothing; and a full engine is passed over while one of the
 * engines that are `left` has room.
 */
export function isUncounted(
  { kind }: RouterError,
  left: readonly Pick<EngineClient, 'isAvailable' | 'availableSlots'>[],
): boolean {
  if (kind === 'DRAINING' || kind === 'INPUT_TOO_LARGE') return true;
  return kind === 'ENGINE_FULL' && left.some(({ isAvailable, availableSlots }) => isAvailable && availableSlots > 0);
}
