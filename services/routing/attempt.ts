// One attempt: sends a request to one engine and records the result.
import { isOver } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import { publicName } from '../core/held-name.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import type { Observer, Outcome } from '../core/observer.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import { type Work, workOf } from '../core/work.ts';
import type { Admission } from './admission.ts';
import type { Dispute } from './dispute.ts';
import type { LateAttempts } from './late-attempts.ts';
import { malformedDispute } from './malformed.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface Attempt {
  readonly engineId: string;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** The engine's work; undefined if it gave no answer. */
  readonly work?: Work | undefined;
  /** Undefined if it answered. */
  readonly error?: RouterError | undefined;
}

/** The part of an engine that an attempt needs. */
export interface EngineClient {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  /** Whether it is usable now. */
  readonly isAvailable: boolean;
  /** Why it is not usable; empty if it is. */
  readonly unavailableReason: string;
  /** Free slots within its concurrency limit. */
  readonly availableSlots: number;
  /**
   * Time limit of one attempt with `input`, milliseconds. `shareMs`: its share of the caller's time. `requests`: number
   * sent at once; default one.
   */
  attemptMs(input: InferenceInput, shareMs: number, requests?: number): number;
  /** Whether it usually answers such an input within `ms`, and answers now. */
  answersWithin(input: InferenceInput, ms: number): boolean;
  /** Whether it has answered no such input for a good part of the last `ms`, though it has some. */
  isSilent(input: InferenceInput, ms: number): boolean;
  infer(input: InferenceInput, context: CallContext, timeoutMs?: number): Promise<Inference>;
}

export interface AttemptOptions {
  /** Engines that one request may try one after another. */
  readonly maxAttempts: number;
  /** Maximum time of an attempt if another engine can still be asked, milliseconds. */
  readonly attemptTimeoutMs: number;
  readonly budget: RetryBudget;
  readonly lateAttempts: LateAttempts;
  /** Queue of votes that wait for a free slot. */
  readonly admission: Pick<Admission, 'waitForRoom'>;
  readonly observer: Observer;
  readonly onDispute: (dispute: Dispute) => void;
  /** All engines, for the error of a request that none could answer. */
  readonly pool: { readonly engines: readonly EngineClient[] };
}

export interface AttemptContext {
  readonly input: InferenceInput;
  readonly context: CallContext;
  readonly options: AttemptOptions;
  /** The strategy of the plan. */
  readonly strategy: string;
  /** Every attempt so far, in the order in which they ended. */
  readonly attempts: Attempt[];
  /** Name of the attempt in the request's trace, before the engine's id; default "attempt". */
  readonly as?: 'ballot' | 'confirmation' | undefined;
}

/** Rejects with RouterError only. */
export function attempt(engine: EngineClient, request: AttemptContext, timeoutMs = Infinity): Promise<Inference> {
  const { context, input } = request;
  const startedMs = performance.now();
  const span = context.span?.child(`${request.as ?? 'attempt'} ${engine.id}`, 'CLIENT', startedMs);
  // Without tracing, the request's own limits are used.
  const limits = span === undefined ? context : { deadlineMs: context.deadlineMs, signal: context.signal, span };
  return engine.infer(input, limits, timeoutMs).then(
    (inference) => {
      recordAnswer(engine, request, span, startedMs, inference);
      return inference;
    },
    (thrown: unknown) => {
      const error = RouterError.from(thrown);
      recordFailure(engine, request, span, startedMs, error);
      throw error;
    },
  );
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

/** Returns the duration, milliseconds. */
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
  // A cancelled attempt is not the engine's fault.
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

/** Whether no other engine can do better: the error is not the engine's, or the caller is gone. */
export function isFinal(error: RouterError, context: CallContext): boolean {
  return !error.failsOver || isOver(context);
}

/**
 * Whether the attempt does not count: the engine drains (several may drain at once), nothing was sent because the input
 * exceeds its message limit, or it is full while one of the engines that are `left` has a free slot.
 */
export function isUncounted(
  { kind }: RouterError,
  left: readonly Pick<EngineClient, 'isAvailable' | 'availableSlots'>[],
): boolean {
  if (kind === 'DRAINING' || kind === 'INPUT_TOO_LARGE') return true;
  return kind === 'ENGINE_FULL' && left.some(({ isAvailable, availableSlots }) => isAvailable && availableSlots > 0);
}
