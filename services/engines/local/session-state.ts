// Reads and writes the session states of one simulator: the initial state of a run and its final state.
import * as at from '../../core/state-bytes.ts';
import { xxh64 } from '../xxh64.ts';
import type { RuntimeNode } from './runtime-node.ts';
import type { StateLayout } from './state-layout.ts';

/** The initial state of a run, and whether to return the final one. */
export interface RunSession {
  /** A state that refuseState accepted, starting at a multiple of 4 bytes; empty: the run starts at step 0. */
  readonly state: Uint8Array;
  readonly returnState: boolean;
}

export const NO_SESSION: RunSession = { state: new Uint8Array(0), returnState: false };

interface SessionTotals {
  readonly steps: number;
  readonly totalSpikes: number;
  readonly synapticOperations: number;
  /** Digest of a constant input; 0n for a series. */
  readonly inputDigest: bigint;
}

export const NO_TOTALS: SessionTotals = { steps: 0, totalSpikes: 0, synapticOperations: 0, inputDigest: 0n };

export function readTotals(state: Uint8Array): SessionTotals {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  return {
    steps: view.getUint32(at.STEPS_AT, true),
    totalSpikes: Number(view.getBigUint64(at.TOTAL_SPIKES_AT, true)),
    synapticOperations: Number(view.getBigUint64(at.SYNAPTIC_OPERATIONS_AT, true)),
    inputDigest: view.getBigUint64(at.INPUT_DIGEST_AT, true),
  };
}

/**
 * Loads `state` into a cleared simulator. `collected`: the values that the readout collects over the steps, if it does.
 */
export function restoreState(
  state: Uint8Array,
  layout: StateLayout,
  nodes: readonly RuntimeNode[],
  counts: Uint32Array,
  collected: Float32Array,
): void {
  let offset = state.byteOffset + at.COUNTS_AT;
  const floats = (length: number): Float32Array => {
    offset += 4 * length;
    return new Float32Array(state.buffer, offset - 4 * length, length);
  };
  counts.set(new Uint32Array(state.buffer, offset, counts.length));
  floats(layout.outputs);
  const potentials = floats(layout.outputs);
  if (layout.resumesPotentials) collected.set(potentials);
  for (const { node, current, potential, delayed, output } of layout.parts) {
    const to = nodes[node]!;
    if (current > 0) to.i.set(floats(current));
    if (potential > 0) to.v.set(floats(potential));
    if (delayed > 0) to.line!.restore(floats(delayed));
    if (output > 0) to.restoreOutput(floats(output));
  }
  if (layout.sums > 0) collected.set(floats(layout.sums));
}

/** `body`: the bytes that the run's state digest covers. */
export function saveState(
  body: Uint8Array,
  { totalSpikes, synapticOperations, inputDigest }: Omit<SessionTotals, 'steps'>,
  sums: Float32Array,
): Uint8Array<ArrayBuffer> {
  const checked = at.BODY_AT + body.length + sums.byteLength;
  const state = new Uint8Array(checked + at.CHECKSUM_BYTES);
  const view = new DataView(state.buffer);
  view.setUint32(0, at.STATE_MAGIC, true);
  view.setUint32(at.BODY_BYTES_AT, body.length, true);
  view.setBigUint64(at.TOTAL_SPIKES_AT, BigInt(totalSpikes), true);
  view.setBigUint64(at.SYNAPTIC_OPERATIONS_AT, BigInt(synapticOperations), true);
  view.setBigUint64(at.INPUT_DIGEST_AT, inputDigest, true);
  state.set(body, at.BODY_AT);
  state.set(new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength), at.BODY_AT + body.length);
  view.setBigUint64(checked, xxh64(state.subarray(0, checked)), true);
  return state;
}
