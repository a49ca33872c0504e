// What the router needs of any engine, wherever it runs.
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';

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
  /** Why the model cannot be used; empty: usable. */
  readonly error: string;
}

export interface EngineDescription {
  readonly build: string;
  readonly numericsVersion: number;
  readonly models: readonly EngineModel[];
}

export interface Engine {
  readonly id: string;
  readonly kind: EngineKind;
  /** Where it listens, or `in-process`. */
  readonly address: string;
  /** Set while the engine can take work. */
  readonly description: EngineDescription | undefined;
  /** Why `description` is unset. Empty while the engine is ready. */
  readonly downReason: string;
  /** Unanswered inferences. */
  readonly inFlight: number;
  /** Runs one input. Rejects with RouterError only. */
  infer(input: InferenceInput, context: CallContext): Promise<Inference>;
  /** Called whenever readiness or description changes. */
  onChange(listener: () => void): void;
  /** Starts connecting; resolves once the first attempt has succeeded or failed. */
  start(): Promise<void>;
  /** Finishes what is in flight, then releases everything. */
  stop(): Promise<void>;
}
