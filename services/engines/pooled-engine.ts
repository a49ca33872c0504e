// An engine as the router sees it: how it has done, whether it may be asked, and one call that keeps both up to date.
import { ERROR_KINDS, RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import { Breaker, type BreakerEvent, type BreakerOptions } from './breaker.ts';
import { ConcurrencyLimit, type LimitOutcome } from './concurrency-limit.ts';
import type { Engine, EngineKind, EngineModel } from './engine.ts';
import { inferChecked } from './infer-checked.ts';
import type { ModelPins } from './model-pins.ts';
import type { ModelProblem } from './model-problems.ts';
import { Speed } from './speed.ts';

export type EngineState = 'READY' | 'DOWN' | 'DRAINING' | 'QUARANTINED' | 'DUPLICATE' | 'UNUSABLE';

const UNCOUNTED = { isProbe: false } as const;

export class PooledEngine {
  readonly engine: Engine;
  /** What its answers are held against. */
  readonly pins: ModelPins;
  readonly breaker: Breaker;
  readonly speed = new Speed();
  readonly limit = new ConcurrencyLimit();
  succeeded = 0;
  failed = 0;
  /** As last described, also while the engine is down. */
  build = '';
  /** An operator wants no more requests sent to it. */
  isDraining = false;
  /** Why its answers are not trusted; empty: they are. */
  quarantine = '';
  /** Of its process, 32 hexadecimal digits, as last described; empty: not known. */
  instanceId = '';
  /** When it began to claim that id: the lower, the earlier. */
  claimOrder = 0;
  /** What it describes of the model versions of the repository, each once; empty while the engine is down. */
  models: readonly EngineModel[] = [];
  /** Model versions of the repository that it cannot serve; as last described, also while the engine is down. */
  modelProblems: readonly ModelProblem[] = [];
  /** Why it can serve nothing though it is connected; empty: it can serve something. */
  unusable = '';
  /** Id of the engine of the pool that is the same process and is asked instead; empty: there is none. */
  duplicateOf = '';
  /** Its breaker is not to be believed now. Within a model that is not in a panic it still is: see the pool. */
  isPanicking = false;
  /** When it came up last, on performance.now()'s clock; -Infinity: it was there from the start, or never. */
  readySinceMs = -Infinity;

  constructor(engine: Engine, pins: ModelPins, breaker: BreakerOptions, onBreaker: (event: BreakerEvent) => void) {
    this.engine = engine;
    this.pins = pins;
    this.breaker = new Breaker(breaker, onBreaker);
  }

  get id(): string {
    return this.engine.id;
  }

  get kind(): EngineKind {
    return this.engine.kind;
  }

  /** Requests that it may be sent now without getting more than it works off. */
  get free(): number {
    return this.limit.limit - this.engine.inFlight;
  }

  get inFlight(): number {
    return this.engine.inFlight;
  }

  get state(): EngineState {
    if (this.isDraining) return 'DRAINING';
    if (this.engine.description === undefined) return 'DOWN';
    if (this.duplicateOf !== '') return 'DUPLICATE';
    if (this.quarantine !== '') return 'QUARANTINED';
    return this.unusable === '' ? 'READY' : 'UNUSABLE';
  }

  /** Whether a request may be sent now. */
  get admits(): boolean {
    return (this.breaker.admits || this.isPanicking) && this.state === 'READY';
  }

  /** Why not; empty where it admits. */
  get whyNot(): string {
    if (this.isDraining) return 'draining';
    if (this.engine.description === undefined) return `down: ${this.engine.downReason}`;
    if (this.duplicateOf !== '') return `same process as ${this.duplicateOf}`;
    if (this.quarantine !== '') return `quarantined: ${this.quarantine}`;
    if (this.unusable !== '') return `unusable: ${this.unusable}`;
    return this.admits ? '' : `breaker ${this.breaker.state.toLowerCase().replace('_', '-')}`;
  }

  get expectedMs(): number {
    return this.speed.expectedMs(this.engine.inFlight);
  }

  get isFailing(): boolean {
    return this.speed.isFailing;
  }

  get idleMs(): number {
    return performance.now() - this.speed.lastOutcomeMs;
  }

  /** As `infer`, beside all that is counted: for known inputs and replays, also of an engine that may not be asked. */
  inferUncounted(input: InferenceInput, context: CallContext): Promise<Inference> {
    return inferChecked(this.engine, this.pins, input, context);
  }

  /**
   * What it resolves with is checked; what it rejects with is a state, a claim or a fault of the engine, or INPUT_TOO_LARGE,
   * or the caller's own reason to leave. ENGINE_SLOW if `timeoutMs` ends before the request's own deadline does.
   */
  async infer(input: InferenceInput, context: CallContext, timeoutMs = Infinity): Promise<Inference> {
    const startedMs = performance.now();
    const inFlight = this.engine.inFlight + 1;
    const { signal, span } = context;
    const deadlineMs = Math.min(context.deadlineMs, startedMs + timeoutMs);
    // In a panic requests pass a breaker that admits none. They tell it nothing: it neither takes one for the try that
    // it allows after its pause, nor closes early for one that happened to go well while most do not.
    const pass = this.breaker.admits ? this.breaker.begin() : UNCOUNTED;
    try {
      const inference = await inferChecked(this.engine, this.pins, input, { deadlineMs, signal, span }, startedMs);
      const nowMs = performance.now();
      this.speed.recordAnswer(nowMs - startedMs, inFlight, nowMs);
      this.limit.record(nowMs - startedMs, inFlight, 'success', nowMs);
      this.succeeded += 1;
      this.breaker.end(pass, 'success', 'OK');
      return inference;
    } catch (thrown) {
      const error = this.#blame(RouterError.from(thrown), deadlineMs < context.deadlineMs);
      const { outcome } = ERROR_KINDS[error.kind];
      if (outcome === 'failure') this.failed += 1;
      this.breaker.end(pass, outcome, error.kind, (why) =>
        span?.trace.event('breaker opened', { 'tandem.engine': this.id, 'tandem.why': why }),
      );
      const nowMs = performance.now();
      this.#slowDown(error, nowMs - startedMs, nowMs);
      this.limit.record(nowMs - startedMs, inFlight, toLimitOutcome(error), nowMs);
      throw error;
    }
  }

  #slowDown({ kind }: RouterError, elapsedMs: number, nowMs: number): void {
    if (kind === 'INPUT_TOO_LARGE') return; // it was sent nothing
    const { outcome, fromEngine } = ERROR_KINDS[kind];
    if (outcome === 'failure' || fromEngine !== 'never') this.speed.recordFailure(elapsedMs, nowMs);
    else this.speed.recordUnanswered(elapsedMs, nowMs);
  }

  /** A deadline that was ours, not the caller's, is the engine's fault. */
  #blame(error: RouterError, wasOurs: boolean): RouterError {
    if (error.kind !== 'DEADLINE_EXCEEDED' || !wasOurs) return error;
    return new RouterError('ENGINE_SLOW', `engine "${this.id}" did not answer in the time that one attempt has`);
  }
}

/** What ran out of time says that the engine has too much to do, whoever set the time. */
function toLimitOutcome({ kind }: RouterError): LimitOutcome {
  if (kind === 'ENGINE_FULL') return 'full';
  return kind === 'DEADLINE_EXCEEDED' || ERROR_KINDS[kind].outcome === 'failure' ? 'failure' : 'ignore';
}
