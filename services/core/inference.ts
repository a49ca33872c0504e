// Input and output of an engine. Each field is explained in proto/NUMERICS.md.

import type { CancelSignal } from './cancel.ts';
import type { RouterError } from './errors.ts';
import type { OpenSpan } from './request-trace.ts';

/** The detail of a run in its answer. RASTER includes LAYERS. READOUT covers only the readout node. */
export type Detail = 'SUMMARY' | 'LAYERS' | 'RASTER' | 'READOUT';

export interface InferenceInput {
  /** Model name. */
  readonly model: string;
  /** Model version; 0 means the engine's latest, but the router always sends a number. */
  readonly version: number;
  /** `[n]` (constant input) or `[steps, …]` (time series). */
  readonly shape: readonly number[];
  /** Little-endian binary32, row-major; passed through unchanged. May be an unaligned view into a larger buffer. */
  readonly data: Uint8Array;
  /** Only digests are needed: the answer may omit spike counts, potentials and layers. */
  readonly digestOnly?: boolean;
  /** Unset: SUMMARY. */
  readonly detail?: Detail;
  /** The initial state: `state` of an earlier answer of this model version. Unset or empty: step 0. */
  readonly state?: Uint8Array;
  /** The answer must contain the state at the end of the run. */
  readonly returnState?: boolean;
}

/** Activity of one node of spiking neurons in a run. */
export interface LayerActivity {
  readonly node: string;
  readonly neurons: number;
  readonly spikes: number;
  readonly spikesPerStep: readonly number[];
  /** RASTER: the events, by step, then by neuron. */
  readonly eventSteps: readonly number[];
  readonly eventNeurons: readonly number[];
  /** RASTER: spikes that are not listed as events, because the limit was reached. */
  readonly eventsLeftOut: number;
}

export interface Inference {
  readonly modelVersion: number;
  /** For the whole session so far, like the spike counts, potentials, totals and digests. */
  readonly steps: number;
  /** Spikes of each readout element. */
  readonly spikeCounts: readonly number[];
  /** Potentials of the readout, little-endian binary32. */
  readonly potentials: Uint8Array;
  /** 64 bits, as on the wire. */
  readonly totalSpikes: bigint;
  readonly synapticOperations: bigint;
  /** 64 bits, equal on every engine that holds the same model. */
  readonly stateDigest: bigint;
  /** 64-bit digest of the returned bytes, as the engine claims; 0n from engines that do not send it. */
  readonly readoutDigest: bigint;
  /** Waiting time inside the engine, microseconds. */
  readonly queueUs: number;
  /** Simulation time, microseconds; inputs simulated together share it. */
  readonly computeUs: number;
  /** Inputs simulated together, including this one; 0: unknown. */
  readonly batchItems: number;
  /** For Engine.recording; 0n: the run is not recorded. */
  readonly recordingId: bigint;
  /** If the input asks for detail: the spiking nodes in order of evaluation. Not part of a digest. */
  readonly layers?: readonly LayerActivity[];
  /** READOUT: little-endian binary32, [steps, outputs]. Not part of a digest. */
  readonly readoutPerStep?: Uint8Array;
  /** If the input asks for it: the state at the end of the run (proto/NUMERICS.md, "Session state"). */
  readonly state?: Uint8Array;
}

/** Limits of one call. Engines must obey both. */
export interface CallContext {
  /** Absolute time by `performance.now()`, milliseconds; Infinity: none. */
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
  /** The span that this call is part of, if it is traced. */
  readonly span?: OpenSpan | undefined;
  /** The caller: waiting requests take turns by owner. */
  readonly owner?: object | undefined;
}

/**
 * Gets the result of each input of a group: exactly once, in any order, possibly before the call that started them
 * returns.
 */
export interface InferenceListener {
  /** `index`: index of the input in its group. */
  answered(index: number, inference: Inference): void;
  failed(index: number, error: RouterError): void;
}
