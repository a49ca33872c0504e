// An engine in another process: connects, fetches the description, keeps one InferStream open, and reconnects for ever.
import { causeOf, withTimes } from '../../core/cause.ts';
import { type ErrorKind, RouterError } from '../../core/errors.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../../core/inference.ts';
import { type DescribeResponse, InferItem, type LoadModelResponse } from '../../generated/tandem/engine/v1/engine.ts';
import type { GrpcClient } from '../../grpc/client.ts';
import type { StatusError } from '../../grpc/status.ts';
import type {
  Engine,
  EngineDescription,
  EngineModel,
  ModelLoad,
  Recording,
  UnansweredWork,
  Trace,
  TracePlace,
} from '../engine.ts';
import { whyIncompatible } from './compatibility.ts';
import { isSilent } from './connect-error.ts';
import { connect, describe, loadModel, recording, trace, unloadModel } from './engine-calls.ts';
import type { EngineTlsFiles } from './engine-tls.ts';
import { InferCall } from './infer-call.ts';
import { InferStream } from './infer-stream.ts';
import { fromStatus, toDescription, toDownReason, toModel, toRecording, toTrace, toVersions } from './translate.ts';

const RECONNECT_MIN_MS = 50;
/** Small enough that a restarted engine serves within a second. */
const RECONNECT_MAX_MS = 500;
/** If a stream lived this long or has answered, the next connection is tried at once. */
const PROVEN_MS = 1_000;
const UNPROVEN = 'no engine has answered at this address so far; check the address, and that the engine runs';

/** The engine's repository lacks the version, or has a different one. */
const ELSEWHERE: ReadonlySet<ErrorKind> = new Set(['UNKNOWN_MODEL', 'MODEL_DIFFERS', 'MODEL_INVALID']);
/** Room for other parts of a load message: the manifest has at most 1 MiB. */
const MESSAGE_SLACK_BYTES = 1_100_000;

/** Undefined: unknown. */
type OutputsOf = (model: string, version: number) => number | undefined;
/** Why the engine's process does not listen at its address; empty: it does, or the process is unknown. */
type WhyAway = () => string;

export class SidecarEngine implements Engine {
  readonly kind = 'sidecar';
  readonly id: string;
  readonly address: string;
  description: EngineDescription | undefined;
  #downReason = 'not started';
  /** Why it was last lost; empty: it was never connected. */
  #lostWith = '';
  isFaulty = false;
  /**
   * The address comes from a caller. Until an engine has answered there, errors do not say what else answers: otherwise
   * a caller could scan ports.
   */
  isUnproven = false;
  /** Consecutive connections that ended early without an answer. */
  #failures = 0;
  #upSinceMs = 0;
  #client: GrpcClient | undefined;
  #stream: InferStream | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = RECONNECT_MIN_MS;
  #stopped = false;
  /** Aborts connecting. */
  readonly #stop = new AbortController();
  /** Unexpected answers on ended streams. */
  #earlierUnexpected = 0;
  readonly #stallTimeoutMs: number;
  readonly #outputsOf: OutputsOf;
  readonly #tls: EngineTlsFiles | undefined;
  readonly #whyAway: WhyAway;
  readonly #listeners: (() => void)[] = [];

  /**
   * `stallTimeoutMs`: an engine that owes answers and is silent for this long is lost. `outputsOf`: the size of a
   * model's output, which bounds the answers. `tls` undefined: plaintext. `whyAway`: while it returns a reason, the
   * listener at the address is not our engine, and no connection is made.
   */
  constructor(
    id: string,
    address: string,
    stallTimeoutMs = 500,
    outputsOf: OutputsOf = () => undefined,
    tls?: EngineTlsFiles,
    whyAway: WhyAway = () => '',
  ) {
    this.id = id;
    this.#whyAway = whyAway;
    this.#tls = tls;
    this.#outputsOf = outputsOf;
    this.address = address;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  get downReason(): string {
    if (this.description !== undefined) return '';
    if (this.isUnproven) return UNPROVEN;
    return withTimes(this.#downReason, this.#failures);
  }

  get peerAddress(): string | undefined {
    return this.#client?.remoteAddress;
  }

  get inFlight(): number {
    return this.#stream?.inFlight ?? 0;
  }

  get unanswered(): UnansweredWork | undefined {
    return this.#stream?.unanswered;
  }

  replaceConnection(why: string): void {
    this.#stream?.fail(`it ${why}`);
  }

  /** Results whose id was never sent or was already answered. */
  get unexpectedAnswers(): number {
    return this.#earlierUnexpected + (this.#stream?.unexpectedAnswers ?? 0);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    if (this.#stream === undefined) return Promise.reject(this.#isDown());
    return this.#stream.infer(input, context);
  }

  inferEach(inputs: readonly InferenceInput[], context: CallContext, listener: InferenceListener): void {
    if (this.#stream !== undefined) this.#stream.inferEach(inputs, context, listener);
    else for (const index of inputs.keys()) listener.failed(index, this.#isDown());
  }

  async trace(input: InferenceInput, place: TracePlace | undefined, context: CallContext): Promise<Trace> {
    const { model, version: modelVersion, data, state } = input;
    const shape = [...input.shape];
    const request = { item: InferItem.fromPartial({ model, modelVersion, shape, data, state }), place };
    return toTrace(await this.#call(trace, request, context));
  }

  async recording(recordingId: bigint, context: CallContext): Promise<Recording> {
    return toRecording(await this.#call(recording, { recordingId }, context));
  }

  /**
   * From the engine's own repository if it has the same version, to avoid sending large files; else the bytes are sent.
   */
  async loadModel(load: ModelLoad, context: CallContext): Promise<void> {
    const { name, version, heldAs, modelId, manifest } = load;
    const request = { name, version, heldAs, modelId, manifest, nir: new Uint8Array() };
    let model: EngineModel;
    try {
      model = toLoaded(await this.#call(loadModel, request, context));
      // The number of steps is not part of a model's id.
      if (load.steps !== 0 && model.steps !== load.steps) throw otherSteps(heldAs);
    } catch (thrown) {
      if (!ELSEWHERE.has(RouterError.from(thrown).kind)) throw thrown;
      const nir = load.nir();
      const { maxMessageBytes = 0 } = this.description ?? {};
      if (nir.length + MESSAGE_SLACK_BYTES > maxMessageBytes) throw tooLarge(this.id, nir.length, maxMessageBytes);
      model = toLoaded(await this.#call(loadModel, { ...request, nir }, context));
    }
    const { models } = this.#described();
    this.description = { ...this.#described(), models: [...without(models, heldAs, version), model] };
    this.#changed();
  }

  async unloadModel(heldAs: string, version: number, context: CallContext): Promise<void> {
    try {
      await this.#call(unloadModel, { name: heldAs, version }, context);
    } catch (thrown) {
      if (RouterError.from(thrown).kind !== 'UNKNOWN_MODEL') throw thrown;
    }
    const { models } = this.#described();
    this.description = { ...this.#described(), models: without(models, heldAs, version) };
    this.#changed();
  }

  /** Throws if it was lost meanwhile. */
  #described(): EngineDescription {
    if (this.description === undefined) throw this.#isDown();
    return this.description;
  }

  async start(): Promise<void> {
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop.abort();
    clearTimeout(this.#retry);
    await this.#stream?.drain();
    this.#client?.close();
  }

  async #call<Request, Response>(
    call: (client: GrpcClient, request: Request, context: CallContext) => Promise<Response>,
    request: Request,
    context: CallContext,
  ): Promise<Response> {
    if (this.#client === undefined || this.#stream === undefined) throw this.#isDown();
    try {
      return await call(this.#client, request, context);
    } catch (thrown) {
      if (context.signal.aborted) throw RouterError.from(context.signal.reason);
      throw fromStatus(this.id, thrown as StatusError);
    }
  }

  #isDown(): RouterError {
    return new RouterError('ENGINE_LOST', `engine "${this.id}" is down: ${this.downReason}`);
  }

  async #connect(): Promise<void> {
    let client: GrpcClient | undefined;
    try {
      this.#checkOwn();
      client = await connect(this.address, this.#stop.signal, this.#tls);
      this.#client = client;
      const wire = await describe(client, this.id);
      const refused = whyIncompatible(this.id, toVersions(wire));
      if (refused !== undefined) throw new Error(refused);
      this.#checkOwn(); // its process may have ended, and another one may listen there
      if (this.#stopped) client.close();
      else this.#open(client, wire);
    } catch (error) {
      const isStillSilent = this.#lostWith !== '' && isSilent(error);
      const since = `${this.#lostWith}; since then it does not answer: its process may be stopped`;
      this.#down(client, isStillSilent ? since : toDownReason(error));
    }
  }

  /** Throws while the engine's own process does not listen. */
  #checkOwn(): void {
    const why = this.#whyAway();
    if (why !== '') throw new Error(why);
  }

  #open(client: GrpcClient, wire: DescribeResponse): void {
    const description = toDescription(wire);
    const { maxMessageBytes } = description;
    const probe = (): Promise<unknown> => describe(client, this.id);
    const options = { maxMessageBytes, timeoutMs: this.#stallTimeoutMs, probe, outputsOf: this.#outputsOf };
    const stream = new InferStream(this.id, options, (why, isFault) => this.#down(client, why, isFault));
    this.#stream = stream;
    this.#upSinceMs = performance.now();
    this.description = description;
    this.isUnproven = false;
    stream.begin(new InferCall(client, this.id, wire, stream));
    // The stream may have ended at once.
    if (this.#stream === stream) this.#changed();
  }

  #down(client: GrpcClient | undefined, why: string, isFault = false): void {
    client?.close();
    if (this.#stopped) return;
    const wasUp = this.description !== undefined;
    if (wasUp) this.#lostWith = why;
    if (wasUp && this.#isProven) {
      this.#retryMs = RECONNECT_MIN_MS;
      this.#failures = 0;
    }
    this.#earlierUnexpected = this.unexpectedAnswers;
    this.#stream = undefined;
    const isNews = causeOf(this.#downReason) !== causeOf(why);
    this.#failures = isNews ? 1 : this.#failures + 1;
    this.description = undefined;
    this.#downReason = why;
    this.isFaulty = isFault;
    // Full jitter, so that many routers do not reconnect at the same time.
    this.#retry = setTimeout(() => void this.#connect(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(this.#retryMs * 2, RECONNECT_MAX_MS);
    if (wasUp || (isNews && !this.isUnproven)) this.#changed();
  }

  get #isProven(): boolean {
    return this.#stream?.hasAnswered === true || performance.now() - this.#upSinceMs >= PROVEN_MS;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function toLoaded({ model }: LoadModelResponse): EngineModel {
  if (model === undefined) throw new RouterError('ENGINE_FAULT', 'the engine did not say what it has loaded');
  return toModel(model);
}

function otherSteps(heldAs: string): RouterError {
  return new RouterError('MODEL_DIFFERS', `model ${heldAs} has another number of steps in the engine's repository`);
}

function without(models: readonly EngineModel[], name: string, version: number): EngineModel[] {
  return models.filter((each) => each.name !== name || each.version !== version);
}

function tooLarge(engineId: string, bytes: number, maxBytes: number): RouterError {
  const message =
    `the model file has ${bytes} bytes, and engine "${engineId}" takes messages of ${maxBytes}; ` +
    `put the file into the engine's own model repository, or start it with a larger --max-message-bytes`;
  return new RouterError('MODEL_TOO_LARGE', message);
}
