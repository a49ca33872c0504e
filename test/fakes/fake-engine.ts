// An engine that a test controls: for injecting faults, never as a real answer.
import { RouterError } from '../../services/core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../services/core/inference.ts';
import type {
  Engine,
  EngineDescription,
  EngineKind,
  EngineModel,
  Recording,
  Trace,
  TracePlace,
} from '../../services/engines/engine.ts';
import type { ModelPins, PinnedModel } from '../../services/engines/model-pins.ts';
import { readoutDigest } from '../../services/engines/readout-digest.ts';

export function fakeModel(over: Partial<EngineModel> = {}): EngineModel {
  return {
    name: 'm',
    version: 1,
    modelId: 7n,
    inputSize: 3,
    outputSize: 2,
    nodes: 3,
    parameters: 6,
    error: '',
    ...over,
  };
}

/** The model of `fakeModel` for the router: every answer of `fakeInference` is possible for it. */
export function fakePinned(over: Partial<PinnedModel> = {}): PinnedModel {
  const { name, version, modelId, inputSize, outputSize, nodes, parameters, error } = fakeModel();
  return {
    ...{ name, version, modelId, inputSize, outputSize, nodes, parameters, error },
    ...{
      inputKind: 'constant',
      steps: 16,
      countsSpikes: true,
      spikesPerNeuron: 1,
      spikesPerStep: 1e6,
      operationsPerStep: 1e9,
      layers: [{ node: 'lif', neurons: 4 }],
    },
    ...over,
  };
}

/** Accepts every model name, all of one size. */
export function fakePinsOf(over: Partial<PinnedModel>): ModelPins {
  return { find: (name, version) => fakePinned({ ...over, name, version }) };
}

export const fakePins = fakePinsOf({});

/** A correct answer of `fakeModel`, except for `over`. Its readout digest matches the other fields. */
export function fakeInference(over: Partial<Inference> = {}): Inference {
  const inference = {
    modelVersion: 1,
    steps: 16,
    spikeCounts: [3, 1],
    potentials: Buffer.alloc(8),
    totalSpikes: 4n,
    synapticOperations: 40n,
    stateDigest: 99n,
    readoutDigest: 0n,
    queueUs: 1,
    computeUs: 2,
    batchItems: 1,
    recordingId: 0n,
    ...over,
  };
  const isEmpty = inference.spikeCounts.length === 0 && inference.potentials.length === 0;
  if (over.readoutDigest !== undefined || isEmpty) return inference;
  return { ...inference, readoutDigest: readoutDigest(inference) };
}

export class FakeEngine implements Engine {
  readonly id: string;
  kind: EngineKind;
  readonly address: string;
  description: EngineDescription | undefined;
  downReason = 'not started';
  inFlight = 0;
  /** The id of its process, from the next `up` on. */
  instanceId = '';
  /** Whether it announces session states, from the next `up` on. */
  takesStates = false;
  /** The inputs that it takes at once, from the next `up` on. */
  maxInFlight = 1_024;
  /** Every call, in order. */
  readonly calls: { input: InferenceInput; context: CallContext }[] = [];
  /** The handler of the next calls. */
  behaviour: (input: InferenceInput, context: CallContext) => Promise<Inference>;
  /** The handler of the next traces; by default it cannot trace. */
  tracing: (input: InferenceInput, place: TracePlace | undefined, context: CallContext) => Promise<Trace>;
  /** Its recordings; none by default. */
  recorded: (id: bigint, context: CallContext) => Promise<Recording>;
  #listener: () => void = () => undefined;

  constructor(id: string, kind: EngineKind = 'sidecar') {
    this.id = id;
    this.kind = kind;
    this.address = `${id}.fake:1`;
    this.behaviour = () => Promise.resolve(fakeInference());
    this.tracing = () => Promise.reject(new RouterError('ENGINE_FAULT', `engine "${id}" cannot trace`));
    this.recorded = () => Promise.reject(new RouterError('UNKNOWN_RECORDING', 'it keeps none'));
  }

  up(...models: EngineModel[]): this {
    const { instanceId, maxInFlight, takesStates: sessionStates } = this;
    this.description = {
      build: `build of ${this.id}`,
      numericsVersion: 1,
      models,
      instanceId,
      sessionStates,
      ...{ maxInFlight, maxMessageBytes: Infinity },
    };
    this.downReason = '';
    this.#listener();
    return this;
  }

  down(why: string): void {
    this.description = undefined;
    this.downReason = why;
    this.#listener();
  }

  infer(input: InferenceInput, context: CallContext): Promise<Inference> {
    this.calls.push({ input, context });
    return this.behaviour(input, context);
  }

  trace(input: InferenceInput, place: TracePlace | undefined, context: CallContext): Promise<Trace> {
    return this.tracing(input, place, context);
  }

  recording(id: bigint, context: CallContext): Promise<Recording> {
    return this.recorded(id, context);
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
