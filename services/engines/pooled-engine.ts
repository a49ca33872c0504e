// An engine of the pool: its statistics, whether it may get requests, and a call that updates both.
import type { EngineState } from '../core/engine-state.ts';
import { type BreakerOutcome, ERROR_KINDS, RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';
import { AnswerTimes } from './answer-times.ts';
import { Breaker, type BreakerEvent, type BreakerOptions } from './breaker.ts';
import { ConcurrencyLimit, type LimitOutcome } from './concurrency-limit.ts';
import type { Engine, EngineKind, EngineModel, UnansweredWork } from './engine.ts';
import { inferChecked, inferEachChecked } from './infer-checked.ts';
import type { ModelPins } from './model-pins.ts';
import type { ModelProblem } from './model-problems.ts';
import { type Peers, answersWithin, comparePeers, isToBlame, isWaiting } from './slowness.ts';
import { Speed } from './speed.ts';

/** Finds the ready engines that hold a model version. */
export type FindHolders = (model: string, version: number) => readonly PooledEngine[];

const UNCOUNTED = { isProbe: false } as const;
/** A connection that accepts this many inputs and answers none is replaced … */
const MIN_SWALLOWED = 5;
/** … while other engines answer. While none does, it must have been silent for this multiple of its usual latency. */
const FAR_TIMES = 8;
/** Minimum of the usual latency then, milliseconds: a healthy engine may pause. */
const FAR_UNIT_MS = 250;

interface FailedAttempt {
  readonly input: InferenceInput;
  readonly startedMs: number;
  /** Unanswered requests when it was sent, including it. */
  readonly inFlight: number;
  readonly pass: { readonly isProbe: boolean };
  readonly span: CallContext['span'];
  /** The limit was that of an attempt, shorter than the caller's. */
  readonly wasAttempt: boolean;
}

export class PooledEngine {
  readonly engine: Engine;
  /** The pins that its answers must match. */
  readonly pins: ModelPins;
  readonly breaker: Breaker;
  readonly speed = new Speed();
  readonly limit = new ConcurrencyLimit();
  succeeded = 0;
  failed = 0;
  /** The last description, also while the engine is down. */
  build = '';
  /** An operator drained it. */
  isDraining = false;
  /** Why its answers are not trusted; empty: they are trusted. */
  quarantine = '';
  /** Instance id of its process, 32 hexadecimal digits, from the last description; empty: unknown. */
  instanceId = '';
  /** Order in which it claimed that id: lower is earlier. */
  claimOrder = 0;
  /** Its descriptions of model versions of the repository, each once; empty while the engine is down. */
  models: readonly EngineModel[] = [];
  /**
   * Model versions of the repository that it cannot serve, from the last description, also while the engine is down.
   */
  modelProblems: readonly ModelProblem[] = [];
  /** Why it can serve no model though it is connected; empty: it can serve one. */
  unusable = '';
  /** Id of the engine that is the same process and is used instead; empty: none. */
  duplicateOf = '';
  /** Its breaker is ignored now, except for models that are not in a panic: see the pool. */
  isPanicking = false;
  /** When it last came up, by performance.now(); -Infinity: at the start, or never. */
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

  /** Free slots within its concurrency limit. */
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

  /** Whether it may get a request now. */
  get isAvailable(): boolean {
    return (this.breaker.allowsRequest || this.isPanicking) && this.state === 'READY';
  }

  /** Why it may not get a request now; empty if it may. */
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

  /**
   * Like `infer`, but outside all statistics: for golden vectors and replays, also on an engine that may not get
   * requests.
   */
  async inferUncounted(input: InferenceInput, context: CallContext): Promise<Inference> {
    try {
      return await inferChecked(this.engine, this.pins, input, context);
    } finally {
      this.#onRoom();
    }
  }

  /**
   * Time limit of one attempt with `input`, milliseconds. `shareMs`: its share of the caller's time. `requests`: number
   * sent at once.
   */
  attemptMs({ model, version, data }: InferenceInput, shareMs: number, requests = 1): number {
    const { length } = data;
    const neededMs = this.#timesOf(model, version).attemptMs(this.engine.inFlight + requests, length, shareMs);
    // At most its share if another engine answers within that: then the model is not the reason that this engine is
    // slow.
    if (neededMs <= shareMs) return neededMs;
    return this.#comparePeers(model, version, shareMs, length) === 'FASTER' ? shareMs : neededMs;
  }

  /** Whether it usually answers such an input within `ms`, and answers now. */
  answersWithin({ model, version, data }: InferenceInput, ms: number): boolean {
    const times = this.#timesOf(model, version);
    return answersWithin(times, { ms, inFlight: this.engine.inFlight + 1, bytes: data.length }, performance.now());
  }

  /** Whether it has answered no input for this model for a good part of the last `ms`, though it has some. */
  isSilent({ model, version }: InferenceInput, ms: number): boolean {
    return isWaiting(this.#timesOf(model, version), ms, performance.now());
  }

  /**
   * Resolves with a checked answer. Rejects with a state, a claim or a fault of the engine, with INPUT_TOO_LARGE, or
   * with the caller's reason to leave; with ENGINE_SLOW or ATTEMPT_TIMEOUT if `timeoutMs` ends before the request's
   * deadline.
   */
  infer(input: InferenceInput, context: CallContext, timeoutMs = Infinity): Promise<Inference> {
    const startedMs = performance.now();
    const inFlight = this.engine.inFlight + 1;
    const { signal, span } = context;
    const deadlineMs = Math.min(context.deadlineMs, startedMs + timeoutMs);
    const times = this.#timesOf(input.model, input.version);
    times.recordRequest(startedMs);
    // In a panic, requests bypass an open breaker. Their results are not reported to it: such a request must not count
    // as the breaker's trial request, and a single success must not close it early.
    const pass = this.breaker.allowsRequest ? this.breaker.begin() : UNCOUNTED;
    const answered = (inference: Inference): Inference => {
      try {
        this.#recordAnswer(times, input, startedMs, inFlight);
        this.breaker.end(pass, 'success', 'OK');
        return inference;
      } finally {
        this.#onRoom();
      }
    };
    const failed = (thrown: unknown): never => {
      const attempt = { input, startedMs, inFlight, pass, span, wasAttempt: deadlineMs < context.deadlineMs };
      try {
        throw this.#recordFailure(RouterError.from(thrown), attempt);
      } finally {
        this.#onRoom();
      }
    };
    const limits = { deadlineMs, signal, span };
    return inferChecked(this.engine, this.pins, input, limits, startedMs).then(answered, failed);
  }

  /** Whether it may get a group: an engine on trial gets a single request. */
  get takesGroups(): boolean {
    return this.breaker.state === 'CLOSED';
  }

  /** Like `infer` for each of a group for one model version. Call only if `takesGroups`. */
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

  /** Returns the error for its caller. */
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
    // An attempt that ended early without a fault of the engine says nothing about the engine's capacity.
    if (error.kind !== 'ATTEMPT_TIMEOUT') this.limit.record(elapsedMs, inFlight, toLimitOutcome(error), nowMs);
    return error;
  }

  /**
   * How its breaker counts an error. A time-out is the engine's fault if other engines are faster, whichever limit was
   * reached.
   */
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
    // If the engine answers nothing at all, a slow answer is no evidence.
    const isSilent = times.isKnown && this.#swallowed !== undefined;
    if (!isBlamed && !isSilent && peers !== 'FASTER') times.recordSlow(elapsedMs, data.length);
    return {
      error: wasAttempt ? timedOut(this.id, elapsedMs, isBlamed) : error,
      outcome: isBlamed ? 'failure' : 'ignore',
    };
  }

  /**
   * Replaces a connection that accepts inputs and answers none, though others answer or it always did. Unanswered
   * requests fail over.
   */
  #replaceIfSilent(model: string, version: number, bytes: number): void {
    const swallowed = this.#swallowed;
    if (swallowed === undefined) return;
    const { inputs, forMs } = swallowed;
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

  /** Its unanswered work, if that is enough to judge its connection. */
  get #swallowed(): UnansweredWork | undefined {
    const { unanswered } = this.engine;
    return unanswered !== undefined && unanswered.inputs >= MIN_SWALLOWED ? unanswered : undefined;
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
    if (kind === 'INPUT_TOO_LARGE') return; // nothing was sent to it
    if (outcome === 'failure' || ERROR_KINDS[kind].fromEngine !== 'never') this.speed.recordFailure(elapsedMs, nowMs);
    else this.speed.recordUnanswered(elapsedMs, nowMs);
  }
}

function timedOut(engineId: string, elapsedMs: number, isBlamed: boolean): RouterError {
  const message = `engine "${engineId}" did not answer in the time that one attempt has (${Math.round(elapsedMs)} ms)`;
  return new RouterError(isBlamed ? 'ENGINE_SLOW' : 'ATTEMPT_TIMEOUT', message);
}

/** For the breaker's history. A counted time-out is the engine's fault, whichever limit was reached. */
function toFailure({ kind }: RouterError): string {
  const isTimeout = kind === 'ENGINE_SLOW' || kind === 'DEADLINE_EXCEEDED';
  return isTimeout ? 'ENGINE_SLOW: no answer in time, while other engines were faster' : kind;
}

/** A time-out means that the engine is overloaded, whether the router or the caller set the limit. */
function toLimitOutcome({ kind }: RouterError): LimitOutcome {
  if (kind === 'ENGINE_FULL') return 'full';
  return kind === 'DEADLINE_EXCEEDED' || ERROR_KINDS[kind].outcome === 'failure' ? 'failure' : 'ignore';
}
