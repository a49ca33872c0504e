// The interface of every engine.
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';

export type EngineKind = 'local' | 'sidecar';

export interface EngineModel {
  readonly name: string;
  readonly version: number;
  /** Identity of weights and run settings (proto/NUMERICS.md); 0n if `error` is set. */
  readonly modelId: bigint;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly nodes: number;
  readonly parameters: number;
  /** Steps of a constant input; 0 or undefined: unknown. */
  readonly steps?: number;
  /** Why the model cannot be used; empty: it can. */
  readonly error: string;
}

/** A model version for an engine to hold. */
export interface ModelLoad {
  /** Its location in the engine's own repository, if it is there. */
  readonly name: string;
  readonly version: number;
  /** Name under which the engine must hold it. */
  readonly heldAs: string;
  /** The model id that the router has read; an engine with another id must refuse. */
  readonly modelId: bigint;
  /** Steps of a constant input; 0: a series. */
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
  /** 32 hexadecimal digits, generated at the start of the engine's process; empty: not given. */
  readonly instanceId: string;
  /** Inputs that may be queued or running in the engine. */
  readonly maxInFlight: number;
  /** Largest message that the engine accepts, bytes. Infinity: not reached by messages. */
  readonly maxMessageBytes: number;
  /** It supports session states (`state` and `returnState` of an input). Unset: no. */
  readonly sessionStates?: boolean;
}

/** One node at one step of a run. */
export interface TracePlace {
  /** 0 for the first. */
  readonly step: number;
  /** Name of an evaluated node. */
  readonly node: string;
}

/** The trace of a run, to find the first difference between two engines (proto/NUMERICS.md, "Tracing"). */
export interface Trace {
  /** Evaluated nodes, in the order of evaluation. */
  readonly nodes: readonly string[];
  /** `[steps, nodes]`, up to the end of the run; empty if a place was requested. */
  readonly digests: BigUint64Array;
  /** Values at the requested place, little-endian binary32, one per element; empty if the node has none. */
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
  /** One bit per element, `ceil(elements / 8)` bytes per step; empty for nodes that do not spike. */
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
/** A raster lists the first spikes of a run, up to this number, and counts the others. */
export const MAX_RASTER_EVENTS = 100_000;

/** A longer session state is refused. */
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
  /** IP address of the connection; undefined: not connected, or none. */
  readonly peerAddress?: string | undefined;
  /** Set while the engine accepts requests. */
  readonly description: EngineDescription | undefined;
  /** Why `description` is unset. Empty while the engine is ready. */
  readonly downReason: string;
  /** Whether `description` is unset because the engine broke the protocol. */
  readonly isFaulty?: boolean;
  /** Unanswered inferences. */
  readonly inFlight: number;
  /**
   * Number of inputs sent since its last answer, and the time since then; undefined: it answers, or has nothing to
   * answer. Only for an engine behind a connection.
   */
  readonly unanswered?: UnansweredWork | undefined;
  /**
   * Replaces its connection. Unanswered inputs reject with ENGINE_LOST. `why` follows the engine's name in the message.
   */
  replaceConnection?(why: string): void;
  /** Runs one input. Never throws; rejects with RouterError only. */
  infer(input: InferenceInput, context: CallContext): Promise<Inference>;
  /** Like `infer` for each input of a group of one caller, without a promise for each. Optional. */
  inferEach?(inputs: readonly InferenceInput[], context: CallContext, listener: InferenceListener): void;
  /**
   * Traces one input, outside the queue of `infer`: returns digests of every node at every step, or the values of one
   * node at one step. Slow. Rejects with RouterError only; ENGINE_FAULT from an engine that cannot trace.
   */
  trace(input: InferenceInput, place: TracePlace | undefined, context: CallContext): Promise<Trace>;
  /**
   * The recording of a run, by its recording id. Rejects with RouterError only: UNKNOWN_RECORDING if it is no longer
   * stored, ENGINE_FAULT from an engine that stores none.
   */
  recording(id: bigint, context: CallContext): Promise<Recording>;
  /**
   * Loads a model version. When this resolves, the description contains it. Replaces what the engine held under that
   * name and version. Rejects with RouterError only, and then nothing has changed. Unset: not supported.
   */
  loadModel?(load: ModelLoad, context: CallContext): Promise<void>;
  /** Unloads a model version. Rejects with RouterError only; does nothing if the engine does not hold it. */
  unloadModel?(heldAs: string, version: number, context: CallContext): Promise<void>;
  /** Called whenever readiness or description changes. */
  onChange(listener: () => void): void;
  /** Starts connecting; resolves once the first attempt has succeeded or failed. */
  start(): Promise<void>;
  /** Finishes requests in flight, then releases everything. */
  stop(): Promise<void>;
}
