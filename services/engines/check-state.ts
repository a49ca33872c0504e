// Checks whether the session state of an answer matches the answer. Another engine may continue from it, so errors must
// be found here. proto/NUMERICS.md, "Session state".
import type { Inference, InferenceInput } from '../core/inference.ts';
import { readStateHeader } from '../core/session-state.ts';
import * as at from '../core/state-bytes.ts';
import { xxh64 } from './xxh64.ts';

const NONE = new Uint8Array(0);

/**
 * Returns the problem as one of a few fixed texts; empty: none. The sums for `mean_potential` can only be checked by
 * other engines.
 */
export function checkState(inference: Inference, { returnState = false }: InferenceInput, modelId: bigint): string {
  const { state = NONE, steps, totalSpikes, synapticOperations } = inference;
  if (!returnState) return state.length === 0 ? '' : 'a state that was not asked for';
  const header = readStateHeader(state);
  if (header === undefined) return 'no state, though it was asked for';
  const isOfAnswer =
    header.modelId === modelId &&
    header.steps === steps &&
    header.totalSpikes === totalSpikes &&
    header.synapticOperations === synapticOperations;
  return isOfAnswer && hasDigests(state, inference) ? '' : 'a state that does not match the answer';
}

function hasDigests(state: Uint8Array, inference: Inference): boolean {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const checked = state.length - at.CHECKSUM_BYTES;
  const body = state.subarray(at.BODY_AT, at.BODY_AT + view.getUint32(at.BODY_BYTES_AT, true));
  const isComplete = xxh64(state.subarray(0, checked)) === view.getBigUint64(checked, true);
  return isComplete && xxh64(body) === inference.stateDigest && hasReadout(body, inference);
}

/** Works also if the answer has none. */
function hasReadout(body: Uint8Array, { spikeCounts, potentials }: Inference): boolean {
  const readout = Buffer.concat([Buffer.from(Uint32Array.from(spikeCounts).buffer), potentials]);
  return readout.equals(body.subarray(at.COUNTS_AT - at.BODY_AT).subarray(0, readout.length));
}
