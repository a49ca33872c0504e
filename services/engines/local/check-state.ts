// Checks a session state from a caller, which may be any bytes: proto/NUMERICS.md, "Session state".
import * as at from '../../core/state-bytes.ts';
import type { ErrorKind } from '../../core/errors.ts';
import { hex64 } from '../../core/hex.ts';
import { MAX_STATE_BYTES } from '../engine.ts';
import { xxh64 } from '../xxh64.ts';
import type { Failure } from './messages.ts';
import type { Network, NetworkNode } from './network.ts';
import { MAX_SPIKES_PER_STEP } from './neuron-rule.ts';
import { firesSpikes, isIntegrator, isPassThrough, isSpiking } from './node-types.ts';
import type { StateLayout } from './state-layout.ts';

/** A spike count over this many steps fits 32 bits. */
const MAX_STEPS = 4_294_967_295;
const MAX_STEPS_OF_MULTIPLE = 1_048_576;
/** Sums up to this value, plus what a run adds, are exact. */
const MAX_TOTAL = 2 ** 52;
const MIN_BYTES = at.COUNTS_AT + at.CHECKSUM_BYTES;
const EXPONENT = 0x7f80_0000;

/** Returns the error, or undefined if the state is valid. `state` starts at a multiple of 4 bytes. */
export function refuseState(
  state: Uint8Array,
  newSteps: number,
  network: Network,
  layout: StateLayout,
): Failure | undefined {
  const { bytes, bodyBytes } = layout;
  if (state.length < MIN_BYTES || state.length > MAX_STATE_BYTES) {
    return invalid(`has ${state.length} bytes, not ${MIN_BYTES} to ${MAX_STATE_BYTES}`);
  }
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  if (view.getUint32(0, true) !== at.STATE_MAGIC) return invalid('does not begin with "TST1"');
  const checked = state.length - at.CHECKSUM_BYTES;
  if (xxh64(state.subarray(0, checked)) !== view.getBigUint64(checked, true)) return invalid('has a wrong checksum');
  const modelId = view.getBigUint64(at.MODEL_ID_AT, true);
  if (modelId !== network.modelId) return ofAnotherModel(modelId, network.modelId);
  if (state.length !== bytes || view.getUint32(at.BODY_BYTES_AT, true) !== bodyBytes) {
    return invalid(`has ${state.length} bytes or a body of another length, not the ${bytes} bytes of this model`);
  }
  const problem = new StateCheck(view, network, layout).problem();
  if (problem !== '') return invalid(problem);
  const steps = view.getUint32(at.STEPS_AT, true);
  const most = maxSteps(network);
  if (steps + newSteps <= most) return undefined;
  const message = `the session has ${steps} steps, and ${newSteps} more are above the limit of ${most}; begin a new session`;
  return refusal('INPUT_STEPS', message);
}

function maxSteps({ hasMultipleSpikes }: Network): number {
  return hasMultipleSpikes ? MAX_STEPS_OF_MULTIPLE : MAX_STEPS;
}

class StateCheck {
  readonly #view: DataView;
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  readonly #network: Network;
  readonly #layout: StateLayout;
  readonly #mostSpikes: number;
  readonly #steps: number;

  constructor(view: DataView, network: Network, layout: StateLayout) {
    const { buffer, byteOffset, byteLength } = view;
    this.#view = view;
    this.#words = new Uint32Array(buffer, byteOffset, byteLength / 4);
    this.#floats = new Float32Array(buffer, byteOffset, byteLength / 4);
    this.#network = network;
    this.#layout = layout;
    this.#mostSpikes = network.hasMultipleSpikes ? MAX_SPIKES_PER_STEP : 1;
    this.#steps = view.getUint32(at.STEPS_AT, true);
  }

  /** Empty: none. */
  problem(): string {
    return this.#totals() || this.#counts() || this.#values() || this.#outputs();
  }

  #totals(): string {
    const [view, steps, most] = [this.#view, this.#steps, maxSteps(this.#network)];
    if (steps === 0 || steps > most) return `has ${steps} steps, not 1 to ${most}`;
    const totalSpikes = Number(view.getBigUint64(at.TOTAL_SPIKES_AT, true));
    const synapticOperations = Number(view.getBigUint64(at.SYNAPTIC_OPERATIONS_AT, true));
    if (Math.max(totalSpikes, synapticOperations) > MAX_TOTAL) return `has a total above ${MAX_TOTAL}`;
    if (this.#network.inputKind === 'series' && view.getBigUint64(at.INPUT_DIGEST_AT, true) !== 0n) {
      return 'has the digest of a constant input';
    }
    const neurons = this.#network.nodes.reduce((sum, node) => sum + (firesSpikes(node.type) ? node.outputSize : 0), 0);
    return totalSpikes > steps * this.#mostSpikes * neurons ? 'has more spikes than its steps can give' : '';
  }

  #counts(): string {
    const { nodes, readout } = this.#network;
    const { type } = nodes[readout]!;
    const most = isSpiking(type) ? this.#steps * this.#mostSpikes : 0;
    const from = at.COUNTS_AT / 4;
    let sum = 0;
    for (let k = from; k < from + this.#layout.outputs; k += 1) {
      if (this.#words[k]! > most) return `has a spike count above ${most}`;
      sum += this.#words[k]!;
    }
    const totalSpikes = Number(this.#view.getBigUint64(at.TOTAL_SPIKES_AT, true));
    return firesSpikes(type) && sum > totalSpikes ? 'has spike counts above its total of spikes' : '';
  }

  /** All binary32 parts: potentials, states of nodes, and sums. */
  #values(): string {
    const from = at.COUNTS_AT / 4 + this.#layout.outputs;
    const end = (at.BODY_AT + this.#layout.bodyBytes) / 4 + this.#layout.sums;
    for (let k = from; k < end; k += 1) {
      if ((this.#words[k]! & EXPONENT) === EXPONENT) return `has a number that is not finite at byte ${4 * k}`;
    }
    return '';
  }

  /** Outputs that delayed edges carry into the next step: only values that fit the stored form are valid. */
  #outputs(): string {
    const { nodes } = this.#network;
    const potentials = new Map<number, number>();
    const outputs: { readonly node: number; readonly from: number; readonly size: number }[] = [];
    let from = at.COUNTS_AT / 4 + 2 * this.#layout.outputs;
    for (const { node, current, potential, delayed, output } of this.#layout.parts) {
      if (potential > 0) potentials.set(node, from + current);
      from += current + potential + delayed;
      if (output > 0) outputs.push({ node, from, size: output });
      from += output;
    }
    const firstOf = new Map<number, number>();
    for (const { node, from: start, size } of outputs) {
      const origin = originOf(nodes, node);
      const { type, rule } = nodes[origin]!;
      if (!firstOf.has(origin)) firstOf.set(origin, start);
      const isSound =
        this.#areSame(start, firstOf.get(origin)!, size) &&
        (!isSpiking(type) || this.#areSpikes(start, size, rule?.multiple === true ? MAX_SPIKES_PER_STEP : 1)) &&
        (!isIntegrator(type) || this.#areSame(start, potentials.get(origin)!, size));
      if (!isSound) return `has a last output of node "${nodes[node]!.name}" that no step gives`;
    }
    return '';
  }

  #areSame(a: number, b: number, size: number): boolean {
    for (let k = 0; k < size; k += 1) if (this.#words[a + k] !== this.#words[b + k]) return false;
    return true;
  }

  /** Whole numbers from +0 to `most`. */
  #areSpikes(from: number, size: number, most: number): boolean {
    for (let k = from; k < from + size; k += 1) {
      const spikes = this.#floats[k]!;
      if (!(spikes >= 0 && spikes <= most) || !Number.isInteger(spikes) || Object.is(spikes, -0)) return false;
    }
    return true;
  }
}

/** The node whose output this one has: itself, or the source that it passes on. */
function originOf(nodes: readonly NetworkNode[], node: number): number {
  const { type, sources, delayed } = nodes[node]!;
  const passes = isPassThrough(type) && sources.length === 1 && !delayed[0];
  return passes ? originOf(nodes, sources[0]!) : node;
}

function invalid(problem: string): Failure {
  return refusal('STATE_INVALID', `state ${problem}; send the state of an earlier answer, unchanged`);
}

function ofAnotherModel(modelId: bigint, wanted: bigint): Failure {
  const ids = `state is of the model with the id ${hex64(modelId)}, and this one has ${hex64(wanted)}`;
  return refusal('STATE_MODEL', `${ids}; name the version that gave the state, or begin a new session`);
}

function refusal(kind: ErrorKind, message: string): Failure {
  return { kind, message, metadata: { field: 'state' } };
}
