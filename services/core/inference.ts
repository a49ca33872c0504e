// What goes into an engine and what comes out of it. Meaning of every field: proto/NUMERICS.md.

import type { CancelSignal } from './cancel.ts';
import type { RouterError } from './errors.ts';
import type { OpenSpan } from './request-trace.ts';

/** How much of a run an answer tells. RASTER tells what LAYERS does; READOUT tells of the readout node alone. */
export type Detail = 'SUMMARY' | 'LAYERS' | 'RASTER' | 'READOUT';

export interface InferenceInput {
  /** Model name. */
  readonly model: string;
  /** Model version; 0 means the engine's latest, but the router always asks for one by number. */
  readonly version: number;
  /** `[n]` (constant input) or `[steps, …]` (time series). */
  readonly shape: readonly number[];
  /** Little-endian binary32, row-major; passed through untouched. May be a view into a larger buffer, unaligned. */
  readonly data: Uint8Array;
  /** The digests are all that is wanted: spike counts, potentials and layers may be left out of the answer. */
  readonly digestOnly?: boolean;
  /** Unset: SUMMARY. */
  readonly detail?: Detail;
  /** Where the run begins: the `state` of an earlier answer of this model version. Unset or empty: at step 0. */
  readonly state?: Uint8Array;
  /** The answer must have the state at the end of the run. */
  readonly returnState?: boolean;
}

/** What one node of spiking neurons did in a run. */
export interface LayerActivity {
  readonly node: string;
  readonly neurons: number;
  readonly spikes: number;
  readonly spikesPerStep: readonly number[];
  /** RASTER: the events, by step, then by neuron. */
  readonly eventSteps: readonly number[];
  readonly eventNeurons: readonly number[];
  /** RASTER: spikes that are no events, because too many came before them. */
  readonly eventsLeftOut: number;
}

export interface Inference {
  readonly modelVersion: number;
  /** Of the whole session so far, as the spike counts, potentials, totals and digests are. */
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
  /** 64 bits of what is returned, as the engine claims; 0n from engines that do not give it. */
  readonly readoutDigest: bigint;
  /** Waiting inside the engine, microseconds. */
  readonly queueUs: number;
  /** Simulating, microseconds; inputs simulated together share it. */
  readonly computeUs: number;
  /** Inputs simulated together, this one included; 0: not known. */
  readonly batchItems: number;
  /** For Engine.recording; 0n: the run is not recorded. */
  readonly recordingId: bigint;
  /** Where the input asks for detail: the spiking nodes in the order of evaluation. No part of a digest. */
  readonly layers?: readonly LayerActivity[];
  /** READOUT: little-endian binary32, [steps, outputs]. No part of a digest. */
  readonly readoutPerStep?: Uint8Array;
  /** Where the input asks for it: the state at the end of the run (proto/NUMERICS.md, "Session state"). */
  readonly state?: Uint8Array;
}

/** Limits of one call: both must be obeyed inside the engine, too. */
export interface CallContext {
  /** Absolute, milliseconds of `performance.now()`'s clock; Infinity: none. */
  readonly deadlineMs: number;
  readonly signal: CancelSignal;
  /** What this is a part of, where it is noted down. */
  readonly span?: OpenSpan | undefined;
  /** Whose request it is: requests that wait take turns by owner. */
  readonly owner?: object | undefined;
}

/** Hears how the inputs of a group end: each once, in any order, perhaps before the call that began them returns. */
export interface InferenceListener {
  /** `index`: of the input in its group. */
  answered(index: number, inference: Inference): void;
  failed(index: number, error: RouterError): void;
}
