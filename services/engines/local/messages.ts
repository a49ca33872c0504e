// Messages between the main thread and the workers.
import type { Manifest } from '../../config/manifest.ts';
import type { ErrorKind } from '../../core/errors.ts';
import type { Detail } from '../../core/inference.ts';
import type { Recording, TracePlace } from '../engine.ts';
import type { PinnedModel } from '../model-pins.ts';
import type { Network } from './network.ts';
import type { RunResult } from './simulator.ts';

/** An input with its result. */
export interface KnownRun {
  /** Name for people; may be empty. */
  readonly name: string;
  /** Little-endian binary32. */
  readonly data: Uint8Array;
  /** Undefined: one constant input. */
  readonly shape: readonly number[] | undefined;
  readonly stateDigest: bigint;
  /** Undefined: not known. */
  readonly readoutDigest: bigint | undefined;
}

export interface LoadRequest {
  readonly name: string;
  readonly version: number;
  /** The NIR file. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly wantsNetwork: boolean;
  /** Golden vectors that the network must get right. */
  readonly known?: readonly KnownRun[] | undefined;
}

/** `network` is set if it was requested and `model.error` is empty. */
export interface LoadedModel {
  readonly model: PinnedModel;
  readonly network: Network | undefined;
  /** The file made the reader crash: its thread must not read another file. */
  readonly isReaderBroken: boolean;
  /** Reading was stopped because it took too long. */
  readonly isLate?: boolean;
}

/** Data of a simulation worker at its start. Both are in shared memory, so only descriptors are copied. */
export interface SimulationSetup {
  /** `flags[slot]` other than 0 stops the job in that slot. */
  readonly flags: Int32Array;
  readonly networks: ReadonlyMap<string, Network>;
  /** Memory for recordings; 0: nothing is recorded. */
  readonly recorderBytes: number;
}

/** Sets a network of a simulation thread; undefined: removes it. */
export interface NetworkChange {
  readonly key: string;
  readonly network: Network | undefined;
}

/** Requests a recording by the number in its answer. */
export interface RecordingRequest {
  readonly recording: number;
}

/** Reply of the thread to RecordingRequests, in order. */
export interface RecordingAnswer {
  readonly recording: Recording | undefined;
}

export interface Job {
  readonly slot: number;
  readonly model: string;
  readonly steps: number;
  /** Offset of its input in the batch's `bytes`, in floats. */
  readonly offset: number;
  readonly length: number;
  /** Offset of its initial state there, in bytes; a multiple of 4. */
  readonly stateOffset: number;
  /** 0: starts at step 0. */
  readonly stateLength: number;
  readonly returnState: boolean;
  /** The answer's arrays stay empty. */
  readonly digestOnly: boolean;
  readonly detail: Detail;
  /** By the clock of shared-clock.ts. */
  readonly receivedMs: number;
  readonly deadlineMs: number;
}

export interface Answer {
  readonly slot: number;
  readonly queueUs: number;
  readonly computeUs: number;
  /** From 1 on; 0: the run was not recorded. */
  readonly recording: number;
  readonly outcome: RunResult | Failure;
}

/** A request to the trace thread. */
export interface TraceRun {
  readonly network: Network;
  readonly input: Float32Array;
  readonly steps: number;
  /** Empty: starts at step 0. */
  readonly state: Uint8Array;
  readonly place: TracePlace | undefined;
}

export interface Failure {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The actual cause, for the log. */
  readonly cause?: string;
}
