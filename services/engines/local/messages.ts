// What the main thread and the workers say to each other.
import type { Manifest } from '../../config/manifest.ts';
import type { ErrorKind } from '../../core/errors.ts';
import type { Detail } from '../../core/inference.ts';
import type { Recording, TracePlace } from '../engine.ts';
import type { PinnedModel } from '../model-pins.ts';
import type { Network } from './network.ts';
import type { RunResult } from './simulator.ts';

/** An input with its result. */
export interface KnownRun {
  /** What people call it; may be empty. */
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

/** `network` is there where `model.error` is empty and it was wanted. */
export interface LoadedModel {
  readonly model: PinnedModel;
  readonly network: Network | undefined;
  /** The file broke the reader itself: the thread that read it must not read another. */
  readonly isReaderBroken: boolean;
  /** It was given up because of the time it took. */
  readonly isLate?: boolean;
}

/** What a simulation worker has from its start. Both are shared memory: nothing is copied but the outlines. */
export interface SimulationSetup {
  /** `flags[slot]` other than 0 stops the job in that slot. */
  readonly flags: Int32Array;
  readonly networks: ReadonlyMap<string, Network>;
  /** Memory for recordings; 0: nothing is recorded. */
  readonly recorderBytes: number;
}

/** Has a simulation thread know another network; undefined: it forgets the one it has. */
export interface NetworkChange {
  readonly key: string;
  readonly network: Network | undefined;
}

/** Asks for a recording, by the number that its answer had. */
export interface RecordingRequest {
  readonly recording: number;
}

/** Of the thread for RecordingRequests, in their order. */
export interface RecordingAnswer {
  readonly recording: Recording | undefined;
}

export interface Batch {
  readonly jobs: readonly Job[];
  readonly inputs: ArrayBuffer;
}

export interface Job {
  readonly slot: number;
  readonly model: string;
  readonly steps: number;
  /** Where its input lies in the batch's `inputs`, in floats. */
  readonly offset: number;
  readonly length: number;
  /** Where the state that it begins with lies there, a multiple of 4, in bytes. */
  readonly stateOffset: number;
  /** 0: it begins at step 0. */
  readonly stateLength: number;
  readonly returnState: boolean;
  /** The answer's arrays stay empty. */
  readonly digestOnly: boolean;
  readonly detail: Detail;
  /** On the clock of shared-clock.ts. */
  readonly receivedMs: number;
  readonly deadlineMs: number;
}

/** `batchDone` on the last answers to a batch. */
export interface FromSimulation {
  readonly answers: readonly Answer[];
  readonly batchDone: boolean;
}

export interface Answer {
  readonly slot: number;
  readonly queueUs: number;
  readonly computeUs: number;
  /** From 1 on; 0: the run was not recorded. */
  readonly recording: number;
  readonly outcome: RunResult | Failure;
}

/** What the thread that traces is asked. */
export interface TraceRun {
  readonly network: Network;
  readonly input: Float32Array;
  readonly steps: number;
  /** Empty: it begins at step 0. */
  readonly state: Uint8Array;
  readonly place: TracePlace | undefined;
}

export interface Failure {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** What really happened, for the log. */
  readonly cause?: string;
}
