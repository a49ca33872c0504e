// What a request asks, and how equal requests are recognised.
import xxhash from 'xxhash-wasm';
import type { Detail } from '../core/inference.ts';
import type { StrategyName } from '../strategies/registry.ts';
import type { SessionRequest } from '../sessions/options.ts';
import type { VotePolicy } from '../voting/policy.ts';
import type { RawInput } from './check-input.ts';

export type CacheModeName = 'USE' | 'BYPASS' | 'REFRESH';

export interface ReasonQuestion {
  /** Empty: the default model. */
  readonly model: string;
  /** 0: the latest usable version. */
  readonly modelVersion: number;
  readonly input: RawInput;
  /** Where it is set, the input is made of it, and `input` is empty. */
  readonly text?: string;
  /** Undefined: the server's. */
  readonly strategy: StrategyName | undefined;
  readonly cache: CacheModeName;
  /** What this request wants of a vote beyond the server's policy; undefined: nothing. */
  readonly vote: Partial<VotePolicy> | undefined;
  /** How much of the run to tell; unset: SUMMARY. */
  readonly detail?: Detail;
  /** Whose state it goes on from; unset: none's. */
  readonly session?: SessionRequest | undefined;
}

const { h64Raw } = await xxhash();

/** 64 bits of model and input; equal on every router, so that AFFINITY is. */
export function questionHash(modelId: bigint, data: Uint8Array): bigint {
  return h64Raw(data, modelId);
}
