// One request on its way to one engine: what it needs, and the record of having asked.
import { isOver } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import type { Observer, Outcome } from '../core/observer.ts';
import type { OpenSpan } from '../core/request-trace.ts';
import type { Work } from '../core/work.ts';
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

/** The least that asking needs of an engine. */
export interface Askable {
  readonly id: string;
  readonly kind: 'local' | 'sidecar';
  /** Whether it may be asked now. */
  readonly admits: boolean;
  /** Why it may not; empty where it may. */
  readonly whyNot: string;
  /** Requests that it may be sent now without getting more than it works off. */
  readonly free: number;
  /** What one attempt with `input` may take now, milliseconds. `shareMs`: its share of the caller's time. */
  attemptMs(input: InferenceInput, shareMs: number): number;
  infer(input: InferenceInput, context: CallContext, timeoutMs?: number): Promise<Inference>;
}

export interface AskOptions {
  /** Engines that one request may ask in turn. */
  readonly maxAttempts: number;
  /** An engine is given up after so long at most where another can still be asked, milliseconds. */
  readonly attemptTimeoutMs: number;
  readonly budget: RetryBudget;
  /** Where votes wait for engines without room. */
  readonly admission: Pick<Admission, 'waitForRoom'>;
  readonly observer: Observer;
  readonly onDispute: (dispute: Dispute) => void;
  /** Every engine there is, for the error of a request that none could answer. */
  readonly pool: { readonly engines: readonly Askable[] };
}

export interface Asking {
  readonly input: InferenceInput;
  readonly context: CallContext;
  readonly options: AskOptions;
  /** That made the plan. */
  readonly strategy: string;
  /** Every engine asked so far, in the order in which they ended. */
  readonly attempts: Attempt[];
  /** What asking is called in the request's trace, before the engine's id; unset: "attempt". */
  readonly as?: 'ballot' | 'confirmation';
}

/** Rejects with RouterError only. */
export async function ask(engine: Askable, asking: Asking, timeoutMs = Infinity): Promise<Inference> {
  const { deadlineMs, signal, span } = asking.context;
  const startedMs = performance.now();
  const { input, options, attempts } = asking;
  const asked = span?.child(`${asking.as ?? 'attempt'} ${engine.id}`, 'CLIENT', startedMs);
  const done = (outcome: Outcome, inference?: Inference, error?: RouterError): number => {
    const endMs = performance.now();
    const durationMs = endMs - startedMs;
    attempts.push({ engineId: engine.id, outcome, durationMs, work: inference, error });
    options.observer.attemptEnded(engine.id, outcome, durationMs);
    if (inference !== undefined) options.observer.computed(input.model, input.version, inference);
    if (asked === undefined) return durationMs;
    noteOutcome(asked, engine, outcome, inference);
    // Whoever was told to stop has done nothing wrong.
    asked.end(outcome === 'OK' || outcome === 'CANCELLED' ? '' : outcome, endMs);
    return durationMs;
  };
  try {
    const inference = await engine.infer(input, { deadlineMs, signal, span: asked }, timeoutMs);
    done('OK', inference);
    return inference;
  } catch (thrown) {
    const error = RouterError.from(thrown);
    const durationMs = done(error.kind, undefined, error);
    const { strategy } = asking;
    const dispute = malformedDispute(engine.id, error, durationMs, { input, strategy, span });
    if (dispute !== undefined) options.onDispute(dispute);
    throw error;
  }
}

function noteOutcome(asked: OpenSpan, { id, kind }: Askable, outcome: Outcome, inference: Inference | undefined): void {
  asked.set('tandem.engine', id);
  asked.set('tandem.engine_kind', kind);
  asked.set('tandem.outcome', outcome);
  if (inference === undefined) return;
  asked.set('tandem.digest', inference.stateDigest);
  asked.set('tandem.queue_us', inference.queueUs);
  asked.set('tandem.compute_us', inference.computeUs);
}

/** Whether it makes no sense to ask anybody else: the error is not the engine's, or nobody waits any more. */
export function isFinal(error: RouterError, context: CallContext): boolean {
  return !error.retryable || isOver(context);
}

/**
 * Whether the attempt counts as none. Several engines that are told to stop at once, as when fewer are wanted, cost nothing;
 * an engine whose messages are too small for the input was sent nothing; and a full engine is passed over while one of the
 * engines that are `left` has room.
 */
export function isUncounted({ kind }: RouterError, left: readonly Pick<Askable, 'admits' | 'free'>[]): boolean {
  if (kind === 'DRAINING' || kind === 'INPUT_TOO_LARGE') return true;
  return kind === 'ENGINE_FULL' && left.some(({ admits, free }) => admits && free > 0);
}
