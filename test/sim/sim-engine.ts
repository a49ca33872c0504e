// An engine of a schedule: honest, slow, stalled, down, full, faulty or lying, by its plan.
import { RouterError } from '../../services/core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../services/core/inference.ts';
import type { Engine, EngineDescription, EngineKind, Recording, Trace } from '../../services/engines/engine.ts';
import type { Random } from '../fuzz/random.ts';
import type { EnginePlan, Condition, SchedulePlan } from './plan.ts';
import { MODEL, inputOf } from './model.ts';
import { chainOf, goOn, withChain } from './session-truth.ts';
import { type Said, answerTo, malformed, refusalOf } from './truth.ts';

const LIMITS = { maxInFlight: 1_024, maxMessageBytes: Infinity };

const NOTHING = new Uint8Array(0);
/** The number of inputs that a BLOCKED engine's connection can buffer. */
const WINDOW = 16;
/** The time until silence is reported, and the time of a new connection. */
const SILENT_MS = 500;
const RECONNECT_MS = 20;

interface Call {
  readonly isStalled: boolean;
  readonly answer: () => void;
  readonly fail: (error: RouterError) => void;
}

interface EngineHooks {
  readonly random: Random;
  readonly plan: Pick<SchedulePlan, 'areAlike' | 'refused'>;
  /** `done` gets the outcome. */
  called(engine: SimEngine, input: InferenceInput, context: CallContext): (outcome: string) => void;
}

export class SimEngine implements Engine {
  readonly id: string;
  readonly kind: EngineKind;
  readonly address: string;
  readonly plan: EnginePlan;
  /** The `instanceId` of its description. */
  readonly process: string;
  description: EngineDescription | undefined;
  downReason = 'not started';
  inFlight = 0;
  condition: Condition['kind'] = 'DOWN';
  isLying = false;
  onStart: () => void = () => undefined;
  readonly #hooks: EngineHooks;
  readonly #calls = new Set<Call>();
  #listener: () => void = () => undefined;
  #lies = 0;
  /** Inputs since the last answer, and the time of the first. */
  #unanswered = { inputs: 0, sinceMs: 0 };

  constructor(id: string, plan: EnginePlan, hooks: EngineHooks) {
    this.id = id;
    this.kind = plan.kind;
    this.process = id === plan.id ? plan.process : id; // a replacement is a new process
    this.address = `${id}.simulated:1`;
    this.plan = plan;
    this.#hooks = hooks;
  }

  setCondition(condition: Condition['kind']): void {
    this.condition = condition;
    const isUp = condition !== 'DOWN';
    if (isUp !== (this.description !== undefined)) {
      this.description = isUp
        ? {
            build: `build of ${this.id}`,
            numericsVersion: 1,
            models: [MODEL],
            sessionStates: true,
            ...LIMITS,
            instanceId: this.process,
          }
        : undefined;
      this.downReason = isUp ? '' : 'crashed';
      this.#listener();
    }
    for (const call of [...this.#calls]) {
      if (!isUp) call.fail(this.#lost());
      else if (condition !== 'STALLED' && call.isStalled) call.answer();
    }
  }

  get isHung(): boolean {
    return this.condition === 'HUNG' || this.condition === 'BLOCKED';
  }

  get unanswered(): { readonly inputs: number; readonly forMs: number } | undefined {
    const { inputs, sinceMs } = this.#unanswered;
    const forMs = performance.now() - sinceMs;
    return inputs === 0 || forMs < SILENT_MS ? undefined : { inputs, forMs };
  }

  replaceConnection(): void {
    this.#unanswered = { inputs: 0, sinceMs: 0 };
    const { description } = this;
    this.description = undefined;
    this.#listener();
    for (const call of [...this.#calls]) call.fail(this.#lost());
    setTimeout(() => {
      if (this.condition === 'DOWN' || this.description !== undefined) return;
      this.description = description;
      this.#listener();
    }, RECONNECT_MS);
  }

  /** All its running inputs are ready. */
  finish(): void {
    for (const call of [...this.#calls]) call.answer();
  }

  infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    const ended = this.#hooks.called(this, input, context);
    const refusal = this.#refusal(context);
    if (refusal !== undefined) {
      ended(refusal.kind);
      return Promise.reject(refusal);
    }
    this.inFlight += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Inference>();
    const { random } = this.#hooks;
    const isStalled = this.condition === 'STALLED';
    const { isHung } = this;
    if (this.#unanswered.inputs === 0) this.#unanswered.sinceMs = performance.now();
    this.#unanswered.inputs += 1;
    const drawnMs =
      this.plan.latencyMs * random.between(0.5, 1.5) * (this.condition === 'SLOW' ? random.between(5, 50) : 1);
    const end = (outcome: string, settle: () => void): void => {
      if (!this.#calls.delete(call)) return;
      this.inFlight -= 1;
      clearTimeout(timer);
      context.signal.removeEventListener('abort', onAbort);
      ended(outcome);
      settle();
    };
    const call: Call = {
      isStalled,
      answer: () => {
        this.#unanswered.inputs = 0;
        const said = this.#say(input);
        if (said instanceof RouterError) end(said.kind, () => reject(said));
        else end('OK', () => resolve(said));
      },
      fail: (error) => end(error.kind, () => reject(error)),
    };
    const onAbort = (): void => call.fail(RouterError.from(context.signal.reason));
    const leftMs = context.deadlineMs - performance.now();
    const isLate = isStalled || isHung || drawnMs >= leftMs;
    const onTimer = (): void => {
      if (isLate) call.fail(new RouterError('DEADLINE_EXCEEDED', 'the deadline passed'));
      else if (this.condition === 'FAULTY') call.fail(new RouterError('ENGINE_FAULT', 'on purpose'));
      else call.answer();
    };
    const timer = setTimeout(onTimer, isLate ? leftMs : drawnMs);
    context.signal.addEventListener('abort', onAbort);
    this.#calls.add(call);
    return promise;
  }

  trace(): Promise<Trace> {
    return Promise.reject(new RouterError('ENGINE_FAULT', 'cannot trace'));
  }

  recording(): Promise<Recording> {
    return Promise.reject(new RouterError('UNKNOWN_RECORDING', 'it keeps none'));
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  start(): Promise<void> {
    this.onStart();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  #refusal({ signal, deadlineMs }: CallContext): RouterError | undefined {
    if (this.description === undefined) return this.#lost();
    if (signal.aborted) return RouterError.from(signal.reason);
    if (performance.now() >= deadlineMs) return new RouterError('DEADLINE_EXCEEDED', 'the deadline passed');
    const isBlocked = this.condition === 'BLOCKED' && this.inFlight >= WINDOW;
    if (!isBlocked && this.condition !== 'FULL' && this.inFlight < this.plan.capacity) return undefined;
    return new RouterError('ENGINE_FULL', `engine "${this.id}" is full`);
  }

  #lost(): RouterError {
    return new RouterError('ENGINE_LOST', `engine "${this.id}" is gone`);
  }

  #say({ data, digestOnly = false, state }: InferenceInput): Said {
    const run = { input: inputOf(data), state };
    const truth = this.#hooks.plan.refused.includes(run.input) ? refusalOf(run.input) : answerOf(run);
    const said = this.isLying ? this.#lie(run, truth, digestOnly) : truth;
    if (said instanceof RouterError || !digestOnly || this.plan.lie === 'MALFORMED') return said;
    return { ...said, spikeCounts: [], potentials: NOTHING };
  }

  #lie(run: Run, truth: Said, digestOnly: boolean): Said {
    this.#lies += 1;
    // Lies differ between engines and each time, unless all lies must be equal.
    const own = 1_000 * (1 + Number(/\d+/.exec(this.process)![0])) + (this.#lies % 900);
    const salt = this.#hooks.plan.areAlike ? 1 : own;
    const lie = answerOf(run, salt);
    switch (this.plan.lie) {
      case 'REFUSE':
        return refusalOf(run.input, salt);
      case 'MALFORMED':
        return malformed(answerOf(run), this.#lies);
      case 'BOTH':
        return lie;
      case 'ACCEPT':
        return truth instanceof RouterError ? lie : truth;
      case undefined:
        return truth;
      default:
        return truth instanceof RouterError ? truth : falsify(this.plan.lie, truth, lie, digestOnly);
    }
  }
}

interface Run {
  readonly input: number;
  /** Of a message of a session. */
  readonly state: Uint8Array | undefined;
}

function answerOf({ input, state }: Run, salt = 0): Inference {
  return state === undefined ? answerTo(input, salt) : goOn(input, state, salt);
}

function falsify(
  kind: 'DIGEST' | 'ANSWER' | 'INCONSISTENT',
  truth: Inference,
  lie: Inference,
  digestOnly: boolean,
): Said {
  const { stateDigest, readoutDigest } = truth;
  if (kind === 'DIGEST') {
    return truth.state === undefined
      ? { ...truth, stateDigest: lie.stateDigest }
      : withChain(truth, chainOf(lie.state!));
  }
  if (kind === 'ANSWER') return { ...lie, stateDigest };
  return digestOnly ? truth : { ...lie, stateDigest, readoutDigest };
}
