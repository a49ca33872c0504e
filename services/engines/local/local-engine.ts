// The engine inside the router: an independent implementation of proto/NUMERICS.md. It simulates in worker threads, so
// the event loop is not blocked.
import { randomBytes } from 'node:crypto';
import { RouterError } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import type { CallContext, Inference, InferenceInput } from '../../core/inference.ts';
import { compareNames } from '../../core/names.ts';
import { malformed } from '../check-refusal.ts';
import type { Engine, EngineDescription, ModelLoad, Recording, Trace, TracePlace } from '../engine.ts';
import { checkDetail, checkInput, checkStateSize, checkTrace } from './input-check.ts';
import type { InputSpec } from './input-check.ts';
import type { Pending } from './job-table.ts';
import { JobTable } from './job-table.ts';
import type { Answer, Failure, LoadedModel } from './messages.ts';
import type { Network } from './network.ts';
import { orStopped } from '../../core/or-stopped.ts';
import { RecordingIds } from './recording-ids.ts';
import { RepositoryModels } from './repository-models.ts';
import { toShared } from './shared-clock.ts';
import { SimulationWorker } from './simulation-worker.ts';
import { TraceWorker } from './trace-worker.ts';

const NUMERICS_VERSION = 1;
const MAX_BATCH = 64;
const DEFAULT_RECORDER_BYTES = 4 * 1_048_576;

export interface LocalEngineOptions {
  readonly id: string;
  readonly modelsDir: string;
  /** The router's models, if it reads the same folder, so that the folder is read once. */
  readonly models?: RepositoryModels;
  /** Threads that simulate. */
  readonly workers: number;
  /** Maximum inputs queued or running; further ones are refused with ENGINE_FULL. */
  readonly maxInFlight?: number;
  /** Memory for recordings of the newest runs, shared by the workers; 0: nothing is recorded. */
  readonly recorderBytes?: number;
  /** Script of the simulation threads; tests use a faulty one. */
  readonly simulationScript?: URL;
}

interface ServedModel extends LoadedModel {
  readonly key: string;
  readonly input: InputSpec | undefined;
}

export class LocalEngine implements Engine {
  readonly kind = 'local';
  readonly address = 'in-process';
  readonly id: string;
  description: EngineDescription | undefined;
  downReason = 'not started';
  readonly #repository: RepositoryModels;
  readonly #table: JobTable;
  readonly #workers: readonly SimulationWorker[];
  readonly #recordingIds = new RecordingIds();
  readonly #traces = new TraceWorker();
  readonly #networks = new Map<string, Network>();
  /** Networks that are released once no queued input needs them. */
  readonly #leaving = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  #models: readonly ServedModel[] = [];
  readonly #about: Omit<EngineDescription, 'models'>;
  #queue: Pending[] = [];
  #flushing = false;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(options: LocalEngineOptions) {
    const { id, modelsDir, models, workers, maxInFlight = 1_024, simulationScript } = options;
    const { recorderBytes = DEFAULT_RECORDER_BYTES } = options;
    this.id = id;
    this.#repository = models ?? new RepositoryModels({ modelsDir, keepsNetworks: true });
    this.#table = new JobTable(maxInFlight);
    this.#about = {
      build: buildName(),
      numericsVersion: NUMERICS_VERSION,
      instanceId: randomBytes(16).toString('hex'),
      maxInFlight,
      maxMessageBytes: Infinity,
      sessionStates: true,
    };
    const script = simulationScript ?? new URL('./simulation-thread.ts', import.meta.url);
    this.#workers = Array.from({ length: workers }, (_, index) => {
      const worker: SimulationWorker = new SimulationWorker(
        script,
        {
          flags: this.#table.flags,
          networks: this.#networks,
          recorderBytes: Math.floor(recorderBytes / workers),
        },
        {
          answered: (answers) => this.#answered(answers, index, worker.life),
          free: () => this.#flush(),
          lost: (slots, why) => this.#lost(slots, why),
          ready: () => {
            this.#update('');
            this.#flush();
          },
        },
      );
      return worker;
    });
  }

  get inFlight(): number {
    return this.#table.size;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async start(): Promise<void> {
    try {
      this.#models = await this.#loadModels();
    } catch (error) {
      this.#update(`cannot read the model repository: ${(error as Error).message}`);
      return;
    }
    // It was stopped while loading.
    if (this.#stopping) return;
    for (const worker of this.#workers) worker.start();
  }

  async infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    this.#checkUp();
    const { key, model, network, input: spec } = this.#find(input.model, input.version);
    const steps = checkInput(input, spec!);
    if (context.signal.aborted) throw RouterError.from(context.signal.reason);
    const { digestOnly = false, detail = 'SUMMARY', returnState = false } = input;
    checkDetail(network!, steps, detail);
    if (returnState) checkStateSize(model.name, network!);
    if (this.#table.isFull) throw new RouterError('ENGINE_FULL', `engine "${this.id}" is full; try again in a moment`);
    const job = {
      model: key,
      steps,
      length: input.data.length / 4,
      stateLength: input.state?.length ?? 0,
      returnState,
      digestOnly,
      detail: digestOnly ? 'SUMMARY' : detail,
      receivedMs: toShared(performance.now()),
      deadlineMs: toShared(context.deadlineMs),
    };
    const { pending, answer } = this.#table.add(job, input, model.version, context);
    this.#queue.push(pending);
    this.#flushSoon();
    return answer;
  }

  async trace(input: InferenceInput, place: TracePlace | undefined, context: CallContext): Promise<Trace> {
    this.#checkUp();
    const { model, network, input: spec } = this.#find(input.model, input.version);
    const steps = checkInput(input, spec!);
    checkTrace(model.name, network!, steps, place);
    const values = new Float32Array(new Uint8Array(input.data).buffer);
    const state = Uint8Array.from(input.state ?? []);
    const outcome = await this.#traces.run({ network: network!, input: values, steps, state, place }, context);
    if ('kind' in outcome) throw toError(outcome);
    return outcome;
  }

  async recording(id: bigint, { deadlineMs, signal }: CallContext): Promise<Recording> {
    this.#checkUp();
    for (const [index, worker] of this.#workers.entries()) {
      const number = this.#recordingIds.numberOf(id, index, worker.life);
      if (number === undefined) continue;
      // A worker answers between two batches.
      const recording = await orStopped(worker.recording(number), signal, deadlineMs);
      if (recording !== undefined) return recording;
    }
    throw new RouterError(
      'UNKNOWN_RECORDING',
      `engine "${this.id}" has no recording ${id}: newer recordings have replaced it, or it was too large to keep; request it ` +
        'sooner, or raise the setting recorder.max_bytes',
    );
  }

  /** The network that the router has read, so that there is one copy of its numbers. */
  loadModel({ heldAs, version, modelId }: ModelLoad): Promise<void> {
    const loaded = this.#repository.loaded(heldAs, version);
    if (loaded?.network === undefined || loaded.model.modelId !== modelId) {
      const message = `engine "${this.id}" does not have model ${heldAs}/${version} as the router has read it`;
      return Promise.reject(new RouterError('MODEL_DIFFERS', message));
    }
    const served = toServed(loaded);
    const { key } = served;
    this.#leaving.delete(key);
    this.#networks.set(key, loaded.network);
    for (const worker of this.#workers) worker.change({ key, network: loaded.network });
    this.#models = [...this.#models.filter((each) => each.key !== key), served].sort(
      ({ model: a }, { model: b }) => compareNames(a.name, b.name) || a.version - b.version,
    );
    this.#update(this.downReason);
    return Promise.resolve();
  }

  unloadModel(heldAs: string, version: number): Promise<void> {
    const key = `${heldAs}/${version}`;
    this.#models = this.#models.filter((each) => each.key !== key);
    this.#leaving.add(key);
    this.#forgetLeaving();
    this.#update(this.downReason);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    await this.#traces.stop();
    if (this.#table.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    this.#update('stopped');
  }

  async #loadModels(): Promise<readonly ServedModel[]> {
    const models = (await this.#repository.load()).map(toServed);
    for (const { key, network } of models) if (network !== undefined) this.#networks.set(key, network);
    return models;
  }

  /** Threads process messages in order, so earlier inputs still find their network. */
  #forgetLeaving(): void {
    for (const key of this.#leaving) {
      if (this.#queue.some(({ job }) => job.model === key)) continue;
      this.#leaving.delete(key);
      this.#networks.delete(key);
      for (const worker of this.#workers) worker.change({ key, network: undefined });
    }
  }

  #checkUp(): void {
    if (this.#stopping) throw new RouterError('DRAINING', `engine "${this.id}" is stopping; ask another engine`);
    if (this.description === undefined) {
      throw new RouterError('ENGINE_LOST', `engine "${this.id}" is down: ${this.downReason}`);
    }
  }

  #find(name: string, version: number): ServedModel {
    const versions = this.#models.filter(({ model }) => model.name === name);
    const usable = versions.findLast(({ model }) => model.error === '');
    const found = version === 0 ? (usable ?? versions.at(-1)) : versions.find(({ model }) => model.version === version);
    if (found === undefined) {
      const wanted = version === 0 ? `model "${name}"` : `version ${version} of model "${name}"`;
      throw new RouterError('UNKNOWN_MODEL', `engine "${this.id}" has no ${wanted}`);
    }
    if (found.model.error !== '') {
      throw new RouterError('MODEL_INVALID', `model "${name}" cannot be used: ${found.model.error}`);
    }
    return found;
  }

  /** Runs after all work that is ready now is queued, so that it is sent in one message. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0) {
      const open = this.#workers.filter((worker) => worker.hasRoom);
      const worker = open.reduce<SimulationWorker | undefined>(
        (best, one) => (best === undefined || one.batches < best.batches ? one : best),
        undefined,
      );
      if (worker === undefined) break;
      const share = Math.min(MAX_BATCH, Math.ceil(this.#queue.length / open.length));
      this.#send(worker, this.#queue.splice(0, share));
    }
    if (this.#leaving.size > 0) this.#forgetLeaving();
  }

  #send(worker: SimulationWorker, batch: readonly Pending[]): void {
    for (const { job, settled } of batch) if (settled) this.#release(job.slot);
    const wanted = batch.filter(({ settled }) => !settled);
    if (wanted.length > 0) worker.send(wanted);
  }

  #answered(answers: readonly Answer[], worker: number, life: number): void {
    const firstId = this.#recordingIds.base(worker, life);
    for (const answer of answers) {
      const pending = this.#table.get(answer.slot)!;
      const recordingId = answer.recording === 0 ? 0n : firstId + BigInt(answer.recording);
      try {
        if ('kind' in answer.outcome) pending.reject(toError(answer.outcome, recordingId));
        else pending.resolve(toInference(answer, pending.version, recordingId));
      } catch (error) {
        pending.reject(malformed(this.id, 'a result that cannot be read', error));
      }
      this.#release(answer.slot);
    }
  }

  #lost(slots: readonly number[], why: string): void {
    this.#update(this.#workers.some((worker) => worker.isUp) ? '' : why);
    for (const slot of slots) {
      this.#table.get(slot)!.reject(new RouterError('ENGINE_LOST', `engine "${this.id}" was lost: ${why}`));
      this.#release(slot);
    }
    if (this.description !== undefined) return;
    for (const { job, reject } of this.#queue.splice(0)) {
      reject(new RouterError('ENGINE_LOST', `engine "${this.id}" is down: ${why}`));
      this.#release(job.slot);
    }
  }

  #release(slot: number): void {
    this.#table.release(slot);
    if (this.#table.size === 0) this.#drained?.();
  }

  #update(downReason: string): void {
    this.downReason = downReason;
    const models = this.#models.map(({ model }) => model);
    this.description = downReason === '' ? { ...this.#about, models } : undefined;
    for (const listener of this.#listeners) listener();
  }
}

function toServed(loaded: LoadedModel): ServedModel {
  const { model, network } = loaded;
  return { ...loaded, key: `${model.name}/${model.version}`, input: network && inputSpec(network) };
}

function inputSpec(network: Network): InputSpec {
  const { inputKind: kind, inputShape: shape, steps, inputSize: size } = network;
  return { kind, shape, steps, size };
}

function toInference({ queueUs, computeUs, outcome }: Answer, modelVersion: number, recordingId: bigint): Inference {
  const { spikeCounts, potentials, ...run } = outcome as Exclude<Answer['outcome'], Failure>;
  return {
    ...run,
    modelVersion,
    totalSpikes: BigInt(run.totalSpikes),
    synapticOperations: BigInt(run.synapticOperations),
    recordingId,
    spikeCounts: Array.from(spikeCounts),
    potentials: new Uint8Array(potentials.buffer),
    queueUs,
    computeUs,
    batchItems: 1,
  };
}

function toError({ kind, message, metadata, cause }: Failure, recordingId = 0n): RouterError {
  return new RouterError(kind, message, { metadata, field: metadata['field'], cause, recordingId });
}

function buildName(): string {
  const short = (full: string): string => full.split('.').slice(0, 2).join('.');
  return `tandem-local ${packageVersion()} node-${short(process.versions.node)} v8-${short(process.versions.v8)}`;
}
