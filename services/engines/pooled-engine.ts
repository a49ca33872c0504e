// An engine as the router sees it: how it has done, whether it may be asked, and one call that keeps both up to date.
import type { EngineState } from '../core/engine-state.ts';
import { type BreakerOutcome, ERROR_KINDS, RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';
import { AnswerTimes } from './answer-times.ts';
import { Breaker, type BreakerEvent, type BreakerOptions } from './breaker.ts';
import { ConcurrencyLimit, type LimitOutcome } from './concurrency-limit.ts';
import type { Engine, EngineKind, EngineModel } from './engine.ts';
import { inferChecked, inferEachChecked } from './infer-checked.ts';
import type { ModelPins } from './model-pins.ts';
import type { ModelProblem } from './model-problems.ts';
import { type Peers, comparePeers, isToBlame } from './slowness.ts';
import { Speed } from './speed.ts';

/** Finds the ready engines that hold a model version. */
export type FindHolders = (model: string, version: number) => readonly PooledEngine[];

const UNCOUNTED = { isProbe: false } as const;
/** A connection that takes so many inputs and answers none of them is replaced. */
const MIN_SWALLOWED = 5;
/** … while other engines answer. While none does, it must have been silent for so many times as long as it usually takes. */
const FAR_TIMES = 8;
/** What counts as usual at least then, milliseconds: a healthy engine may pause. */
const FAR_UNIT_MS = 250;

interface FailedAttempt {
  readonly input: InferenceInput;
  readonly startedMs: number;
  /** Unanswered requests when it was sent, itself included. */
  readonly inFlight: number;
  readonly pass: { readonly isProbe: boolean };
  readonly span: CallContext['span'];
  /** Its time was that of an attempt, and less than the caller's. */
  readonly wasAttempt: boolean;
}

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

  readonly #findHolders: FindHolders;
  readonly #onRoom: () => void;
  /** By model, then by version. */
  readonly #times = new Map<string, Map<number, AnswerTimes>>();

  constructor(
    engine: Engine,
    pins: ModelPins,
    breaker: BreakerOptions,
    onBreaker: (event: BreakerEvent) => void,
    findHolders: FindHolders = () => [],
    onRoom: () => void = () => undefined,
  ) {
    this.engine = engine;
    this.pins = pins;
    this.#findHolders = findHolders;
    this.#onRoom = onRoom;
    this.breaker = new Breaker(breaker, onBreaker);
  }

  get id(): string {
    return this.engine.id;
  }

  get kind(): EngineKind {
    return this.engine.kind;
  }

  /** Requests that it may be sent now without getting more than it works off. */
  get availableSlots(): number {
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
  get isAvailable(): boolean {
    return (this.breaker.allowsRequest || this.isPanicking) && this.state === 'READY';
  }

  /** Why no request may be sent now; empty where one may. */
  get unavailableReason(): string {
    if (this.isDraining) return 'draining';
    if (this.engine.description === undefined) return `down: ${this.engine.downReason}`;
    if (this.duplicateOf !== '') return `same process as ${this.duplicateOf}`;
    if (this.quarantine !== '') return `quarantined: ${this.quarantine}`;
    if (this.unusable !== '') return `unusable: ${this.unusable}`;
    return this.isAvailable ? '' : `breaker ${this.breaker.state.toLowerCase().replace('_', '-')}`;
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
  async inferUncounted(input: InferenceInput, context: CallContext): Promise<Inference> {
    try {
      return await inferChecked(this.engine, this.pins, input, context);
    } finally {
      this.#onRoom();
    }
  }

  /**
   * What one attempt with `input` may take now, milliseconds. `shareMs`: its share of the caller's time. `requests`: how many
   * such are sent at once.
   */
  attemptMs({ model, version, data }: InferenceInput, shareMs: number, requests = 1): number {
    const { length } = data;
    const neededMs = this.#timesOf(model, version).attemptMs(this.engine.inFlight + requests, length, shareMs);
    // No more than its share where another engine answers within that: the model is not to blame that this one does not.
    if (neededMs <= shareMs) return neededMs;
    return this.#comparePeers(model, version, shareMs, length) === 'FASTER' ? shareMs : neededMs;
  }

  /**
   * What it resolves with is checked; what it rejects with is a state, a claim or a fault of the engine, or INPUT_TOO_LARGE,
   * or the caller's own reason to leave. ENGINE_SLOW or ATTEMPT_TIMEOUT if `timeoutMs` ends before the request's own deadline.
   */
  async infer(input: InferenceInput, context: CallContext, timeoutMs = Infinity): Promise<Inference> {
    const startedMs = performance.now();
    const inFlight = this.engine.inFlight + 1;
    const { signal, span } = context;
    const deadlineMs = Math.min(context.deadlineMs, startedMs + timeoutMs);
    const times = this.#timesOf(input.model, input.version);
    times.recordRequest(startedMs);
    // In a panic requests pass an open breaker. They tell it nothing: it neither takes one for the try that
    // it allows after its pause, nor closes early for one that happened to go well while most do not.
    const pass = this.breaker.allowsRequest ? this.breaker.begin() : UNCOUNTED;
    try {
      const inference = await inferChecked(this.engine, this.pins, input, { deadlineMs, signal, span }, startedMs);
      this.#recordAnswer(times, input, startedMs, inFlight);
      this.breaker.end(pass, 'success', 'OK');
      return inference;
    } catch (thrown) {
      const attempt = { input, startedMs, inFlight, pass, span, wasAttempt: deadlineMs < context.deadlineMs };
      throw this.#recordFailure(RouterError.from(thrown), attempt);
    } finally {
      this.#onRoom();
    }
  }

  /** Whether it may be sent a group: one that is on trial is sent one request. */
  get takesGroups(): boolean {
    return this.breaker.state === 'CLOSED';
  }

  /** As `infer` for each of a group for one model version. To be called where `takesGroups`. */
  inferEach(
    inputs: readonly InferenceInput[],
    context: CallContext,
    timeoutMs: number,
    listener: InferenceListener,
  ): void {
    const startedMs = performance.now();
    const { signal, span } = context;
    const deadlineMs = Math.min(context.deadlineMs, startedMs + timeoutMs);
    const wasAttempt = deadlineMs < context.deadlineMs;
    const { model, version } = inputs[0]!;
    const times = this.#timesOf(model, version);
    times.recordRequest(startedMs);
    const first = this.engine.inFlight + 1;
    inferEachChecked(this.engine, this.pins, inputs, { deadlineMs, signal, span }, startedMs, {
      answered: (index, inference) => {
        this.#recordAnswer(times, inputs[index]!, startedMs, first + index);
        this.breaker.end(UNCOUNTED, 'success', 'OK');
        this.#onRoom();
        listener.answered(index, inference);
      },
      failed: (index, thrown) => {
        const input = inputs[index]!;
        const attempt = { input, startedMs, inFlight: first + index, pass: UNCOUNTED, span, wasAttempt };
        const error = this.#recordFailure(thrown, attempt);
        this.#onRoom();
        listener.failed(index, error);
      },
    });
  }

  #recordAnswer(times: AnswerTimes, { data }: InferenceInput, startedMs: number, inFlight: number): void {
    const nowMs = performance.now();
    const elapsedMs = nowMs - startedMs;
    times.recordAnswer(elapsedMs, inFlight, data.length, this.engine.inFlight, nowMs);
    this.speed.recordAnswer(elapsedMs, inFlight, nowMs);
    this.limit.record(elapsedMs, inFlight, 'success', nowMs);
    this.succeeded += 1;
  }

  /** Returns the error that its caller gets. */
  #recordFailure(
    thrown: RouterError,
    { input, startedMs, inFlight, pass, span, wasAttempt }: FailedAttempt,
  ): RouterError {
    const nowMs = performance.now();
    const elapsedMs = nowMs - startedMs;
    const { error, outcome } = this.#judge(thrown, input, inFlight, elapsedMs, wasAttempt);
    if (outcome === 'failure') this.failed += 1;
    this.breaker.end(pass, outcome, toFailure(error), (why) =>
      span?.trace.event('breaker opened', { 'tandem.engine': this.id, 'tandem.why': why }),
    );
    this.#slowDown(error, outcome, elapsedMs, nowMs);
    // An attempt that was ended early for no fault of the engine does not show how many inputs the engine can take.
    if (error.kind !== 'ATTEMPT_TIMEOUT') this.limit.record(elapsedMs, inFlight, toLimitOutcome(error), nowMs);
    return error;
  }

  /** What its breaker makes of an error. A time-out is its fault where other engines are faster, whichever clock ran out. */
  #judge(
    error: RouterError,
    { model, version, data }: InferenceInput,
    inFlight: number,
    elapsedMs: number,
    wasAttempt: boolean,
  ): { readonly error: RouterError; readonly outcome: BreakerOutcome } {
    const times = this.#timesOf(model, version);
    const isTimeout = error.kind === 'DEADLINE_EXCEEDED';
    if (!isTimeout) times.recordLeft(this.engine.inFlight);
    if (!isTimeout && error.kind !== 'CANCELLED') return { error, outcome: ERROR_KINDS[error.kind].outcome };
    this.#replaceIfSilent(model, version, data.length);
    if (!isTimeout) return { error, outcome: 'ignore' };
    const peers = this.#comparePeers(model, version, elapsedMs, data.length);
    const isBlamed = isToBlame(elapsedMs, times.latencyQuantileMs(inFlight, data.length), wasAttempt, peers);
    // Of one that answers nothing at all it says nothing that it is slow.
    const isSilent = times.isKnown && (this.engine.unanswered?.inputs ?? 0) >= MIN_SWALLOWED;
    if (!isBlamed && !isSilent && peers !== 'FASTER') times.recordSlow(elapsedMs, data.length);
    return {
      error: wasAttempt ? timedOut(this.id, elapsedMs, isBlamed) : error,
      outcome: isBlamed ? 'failure' : 'ignore',
    };
  }

  /** Where its connection takes inputs and answers none, though others do or it always did. What is unanswered fails over. */
  #replaceIfSilent(model: string, version: number, bytes: number): void {
    const { unanswered } = this.engine;
    if (unanswered === undefined || unanswered.inputs < MIN_SWALLOWED) return;
    const { inputs, forMs } = unanswered;
    const waiting = [...this.#times.values()]
      .flatMap((versions) => [...versions.values()])
      .filter(({ waitingSinceMs }) => waitingSinceMs < Infinity);
    const latencyQuantileMs = Math.max(0, ...waiting.map((times) => times.latencyQuantileMs(1, bytes)));
    if (forMs < latencyQuantileMs) return;
    const took = `took ${inputs} inputs and answered none for ${Math.round(forMs)} ms`;
    const sinceMs = performance.now() - forMs;
    if (this.#peerTimes(model, version).some(({ lastAnswerMs }) => lastAnswerMs > sinceMs)) {
      const isSlower = this.#comparePeers(model, version, forMs, bytes) === 'FASTER';
      if (isSlower) this.engine.replaceConnection?.(`${took} while other engines answered`);
    } else if (
      waiting.every(({ isKnown }) => isKnown) &&
      forMs >= FAR_TIMES * Math.max(FAR_UNIT_MS, latencyQuantileMs)
    ) {
      this.engine.replaceConnection?.(`${took}, though it usually answers within ${Math.ceil(latencyQuantileMs)} ms`);
    }
  }

  #comparePeers(model: string, version: number, elapsedMs: number, bytes: number): Peers {
    return comparePeers(this.#peerTimes(model, version), elapsedMs, bytes, performance.now());
  }

  #peerTimes(model: string, version: number): AnswerTimes[] {
    const peers = this.#findHolders(model, version).filter((peer) => peer !== this && peer.isAvailable);
    return peers.map((peer) => peer.#timesOf(model, version));
  }

  #timesOf(model: string, version: number): AnswerTimes {
    let versions = this.#times.get(model);
    if (versions === undefined) this.#times.set(model, (versions = new Map<number, AnswerTimes>()));
    let times = versions.get(version);
    if (times === undefined) versions.set(version, (times = new AnswerTimes()));
    return times;
  }

  #slowDown({ kind }: RouterError, outcome: BreakerOutcome, elapsedMs: number, nowMs: number): void {
    if (kind === 'INPUT_TOO_LARGE') return; // it was sent nothing
    if (outcome === 'failure' || ERROR_KINDS[kind].fromEngine !== 'never') this.speed.recordFailure(elapsedMs, nowMs);
    else this.speed.recordUnanswered(elapsedMs, nowMs);
  }
}

function timedOut(engineId: string, elapsedMs: number, isBlamed: boolean): RouterError {
  const message = `engine "${engineId}" did not answer in the time that one attempt has (${Math.round(elapsedMs)} ms)`;
  return new RouterError(isBlamed ? 'ENGINE_SLOW' : 'ATTEMPT_TIMEOUT', message);
}

/** For the breaker's history. A time-out that counts is the engine's, whichever clock ran out. */
function toFailure({ kind }: RouterError): string {
  const isTimeout = kind === 'ENGINE_SLOW' || kind === 'DEADLINE_EXCEEDED';
  return isTimeout ? 'ENGINE_SLOW: no answer in time, while other engines were faster' : kind;
}

/** What ran out of time says that the engine has too much to do, whether the router or the caller set the time. */
function toLimitOutcome({ kind }: RouterError): LimitOutcome {
  if (kind === 'ENGINE_FULL') return 'full';
  return kind === 'DEADLINE_EXCEEDED' || ERROR_KINDS[kind].outcome === 'failure' ? 'failure' : 'ignore';
}
