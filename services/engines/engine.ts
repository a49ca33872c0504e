// What the router needs of any engine, wherever it runs.
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';

export type EngineKind = 'local' | 'sidecar';

export interface EngineModel {
  readonly name: string;
  readonly version: number;
  /** Identity of weights and run settings (proto/NUMERICS.md); 0n where `error` is set. */
  readonly modelId: bigint;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly nodes: number;
  readonly parameters: number;
  /** Of a constant input; 0 or none: the engine does not say. */
  readonly steps?: number;
  /** Why the model cannot be used; empty: usable. */
  readonly error: string;
}

/** A model version for an engine to hold. */
export interface ModelLoad {
  /** Where the engine may find it in its own repository. */
  readonly name: string;
  readonly version: number;
  /** Name under which the engine is to hold it. */
  readonly heldAs: string;
  /** What the router has read; an engine that would hold another one is to refuse. */
  readonly modelId: bigint;
  /** Of a constant input; 0: a series. */
  readonly steps: number;
  /** The text of its model.yaml. */
  readonly manifest: string;
  /** The bytes of its NIR file. */
  readonly nir: () => Uint8Array;
}

export interface EngineDescription {
  readonly build: string;
  readonly numericsVersion: number;
  readonly models: readonly EngineModel[];
  /** 32 hexadecimal digits, random at the start of the engine's process; empty: not given. */
  readonly instanceId: string;
  /** Inputs that may be queued or running in the engine. */
  readonly maxInFlight: number;
  /** Largest message that the engine accepts, bytes. Infinity: it takes no messages. */
  readonly maxMessageBytes: number;
  /** It takes and returns session states (`state` and `returnState` of an input). Unset: no. */
  readonly sessionStates?: boolean;
}

/** One node at one step of a run. */
export interface TracePlace {
  /** 0 for the first. */
  readonly step: number;
  /** Name of an evaluated node. */
  readonly node: string;
}

/** What a run did on its way, for finding the place where two engines differ (proto/NUMERICS.md, "Tracing"). */
export interface Trace {
  /** Evaluated nodes, in the order of evaluation. */
  readonly nodes: readonly string[];
  /** `[steps, nodes]`, as far as the run came; empty where a place was asked for. */
  readonly digests: BigUint64Array;
  /** Of the place asked for, little-endian binary32, an element each; empty where the node has none. */
  readonly current: Uint8Array;
  readonly potential: Uint8Array;
  readonly output: Uint8Array;
  /** Why the run ended before its last step; empty: it did not. Example: "NON_FINITE". */
  readonly ended: string;
}

/** What one node did in a recorded run (proto/NUMERICS.md, "Recording"). */
export interface RecordedNode {
  readonly node: string;
  readonly elements: number;
  /** One bit an element, `ceil(elements / 8)` bytes a step; empty for nodes that do not spike. */
  readonly spikes: Uint8Array;
  /** One for each step. */
  readonly stateChecksums: Uint32Array;
}

export interface Recording {
  /** Steps recorded. */
  readonly steps: number;
  /** In the order of evaluation. */
  readonly nodes: readonly RecordedNode[];
  /** Why the run ended before its last step; empty: it did not. Example: "NON_FINITE". */
  readonly ended: string;
}

/** A trace with more digests than this is refused. */
export const MAX_TRACE_DIGESTS = 1_000_000;

/** Layers of a run with more steps × layers are refused. */
export const MAX_LAYER_COUNTS = 250_000;
/** A raster lists so many spikes of a run, the first ones, and counts the others. */
export const MAX_RASTER_EVENTS = 100_000;

/** A session state that is longer is refused. */
export const MAX_STATE_BYTES = 4_000_000;

export interface UnansweredWork {
  readonly inputs: number;
  readonly forMs: number;
}

export interface Engine {
  readonly id: string;
  readonly kind: EngineKind;
  /** Where it listens, or `in-process`. */
  readonly address: string;
  /** IP address that it is connected at; undefined: it is not, or has none. */
  readonly peerAddress?: string | undefined;
  /** Set while the engine can take work. */
  readonly description: EngineDescription | undefined;
  /** Why `description` is unset. Empty while the engine is ready. */
  readonly downReason: string;
  /** Whether `description` is unset because it broke the protocol. */
  readonly isFaulty?: boolean;
  /** Unanswered inferences. */
  readonly inFlight: number;
  /**
   * Inputs that it was sent since it last answered one, and how long that is; undefined: it answers, or has nothing to answer.
   * Only of an engine behind a connection.
   */
  readonly unanswered?: UnansweredWork | undefined;
  /** Ends its connection and opens another. What is unanswered rejects with ENGINE_LOST. `why` follows the engine's name. */
  replaceConnection?(why: string): void;
  /** Runs one input. Rejects with RouterError only. */
  infer(input: InferenceInput, context: CallContext): Promise<Inference>;
  /** As `infer` for each of a group that has one caller, without a promise for each. An engine may do without. */
  inferEach?(inputs: readonly InferenceInput[], context: CallContext, listener: InferenceListener): void;
  /**
   * Runs one input step by step, beside the queue of `infer`: digests of every node at every step, or the values of one
   * node at one. Slow. Rejects with RouterError only; ENGINE_FAULT from an engine that cannot trace.
   */
  trace(input: InferenceInput, place: TracePlace | undefined, context: CallContext): Promise<Trace>;
  /**
   * What the run with that recording id did. Rejects with RouterError only; UNKNOWN_RECORDING where it is not kept any more,
   * ENGINE_FAULT from an engine that keeps none.
   */
  recording(id: bigint, context: CallContext): Promise<Recording>;
  /**
   * Has it hold a model version; its description has it when this resolves. What it held before under that name and version
   * is replaced. Rejects with RouterError only, and then it holds what it did. Unset: it cannot.
   */
  loadModel?(load: ModelLoad, context: CallContext): Promise<void>;
  /** Has it give up what it holds under that name. Rejects with RouterError only; not where it does not hold it. */
  unloadModel?(heldAs: string, version: number, context: CallContext): Promise<void>;
  /** Called whenever readiness or description changes. */
  onChange(listener: () => void): void;
  /** Starts connecting; resolves once the first attempt has succeeded or failed. */
  start(): Promise<void>;
  /** Finishes what is in flight, then releases everything. */
  stop(): Promise<void>;
}
