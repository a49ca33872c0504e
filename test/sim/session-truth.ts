// Messages of sessions in a schedule: the state is a number that depends on all inputs. Every honest answer depends on
// that number alone, so a lost, doubled or swapped message shows in all later answers.
import type { Inference } from '../../services/core/inference.ts';
import { readoutDigest } from '../../services/engines/readout-digest.ts';
import { xxh64 } from '../../services/engines/xxh64.ts';
import { answerTo, OUTPUTS } from './truth.ts';

const BODY_AT = 32;
const STEPS_AT = BODY_AT + 8;
const COUNTS_AT = BODY_AT + 12;
const POTENTIALS_AT = COUNTS_AT + 4 * OUTPUTS;
const CHAIN_AT = POTENTIALS_AT + 4 * OUTPUTS;
const BODY_BYTES = CHAIN_AT + 4 - BODY_AT;
const MODEL_ID = 7n;
/** Different from the inputs of schedules, and from the known ones. */
const FIRST_ANSWER = 1_000;
const ANSWERS = 64;

/** The state after the inputs so far; 0: none. */
export function chainOf(state: Uint8Array): number {
  return state.length === 0 ? 0 : viewOf(state).getUint32(CHAIN_AT, true);
}

export function stepsOf(state: Uint8Array): number {
  return state.length === 0 ? 0 : viewOf(state).getUint32(STEPS_AT, true);
}

/** `salt` 0: the result of every honest engine from `before` on. */
export function goOn(input: number, before: Uint8Array, salt = 0): Inference {
  const chain = mix(mix(chainOf(before), input + 1), salt);
  const own = answerTo(FIRST_ANSWER + (chain % ANSWERS), salt);
  const steps = stepsOf(before) + own.steps;
  const totals =
    before.length === 0 ? [0n, 0n] : [viewOf(before).getBigUint64(8, true), viewOf(before).getBigUint64(16, true)];
  const run = {
    ...own,
    steps,
    totalSpikes: totals[0]! + own.totalSpikes,
    synapticOperations: totals[1]! + own.synapticOperations,
  };
  return withChain({ ...run, readoutDigest: readoutDigest(run) }, chain);
}

/** The same answer, with another state and digest. */
export function withChain(run: Inference, chain: number): Inference {
  const state = Buffer.alloc(BODY_AT + BODY_BYTES + 8);
  state.write('TST1', 0);
  state.writeUInt32LE(BODY_BYTES, 4);
  state.writeBigUInt64LE(run.totalSpikes, 8);
  state.writeBigUInt64LE(run.synapticOperations, 16);
  state.writeBigUInt64LE(MODEL_ID, BODY_AT);
  state.writeUInt32LE(run.steps, STEPS_AT);
  run.spikeCounts.forEach((count, k) => state.writeUInt32LE(count, COUNTS_AT + 4 * k));
  state.set(run.potentials, POTENTIALS_AT);
  state.writeUInt32LE(chain, CHAIN_AT);
  const end = BODY_AT + BODY_BYTES;
  state.writeBigUInt64LE(xxh64(state.subarray(0, end)), end);
  return { ...run, stateDigest: xxh64(state.subarray(BODY_AT, end)), state };
}

function mix(chain: number, value: number): number {
  const mixed = Math.imul(chain ^ Math.imul(value, 0x85ebca6b), 0xc2b2ae35);
  return value === 0 ? chain : (mixed ^ (mixed >>> 15)) >>> 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
