// The question of a request, and the key by which equal questions are recognised.
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
  /** If set, the input is computed from it, and `input` is empty. */
  readonly text?: string | undefined;
  /** Undefined: the server's default. */
  readonly strategy: StrategyName | undefined;
  readonly cache: CacheModeName;
  /** Stricter vote rules of this request; undefined: none. */
  readonly vote: Partial<VotePolicy> | undefined;
  /** Detail of the answer; unset: SUMMARY. */
  readonly detail?: Detail;
  /** The session to continue; unset: none. */
  readonly session?: SessionRequest | undefined;
}

const { h64Raw } = await xxhash();

/** 64-bit hash of model and input; equal on every router, so that AFFINITY selects the same engine. */
export function questionHash(modelId: bigint, data: Uint8Array): bigint {
  return h64Raw(data, modelId);
}
