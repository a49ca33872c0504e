// Digests of a model with its run settings, and of a run.
import type { Manifest, NeuronSettings } from '../../config/manifest.ts';
import { READOUTS } from '../../config/readout.ts';
import { xxh64 } from '../xxh64.ts';
import { settingsOf } from './neuron-rule.ts';

/** Identity of weights and run settings; `rootOutput` stands in where the manifest names no readout node. */
export function modelId(file: Uint8Array, manifest: Manifest, rootOutput: string): bigint {
  const { dt, input, readout } = manifest;
  const node = Buffer.from(readout.node ?? rootOutput);
  const bytes = Buffer.alloc(20 + node.length);
  bytes.writeBigUInt64LE(xxh64(file), 0);
  bytes.writeDoubleLE(dt, 8);
  bytes.set(firstBytes(manifest), 16);
  bytes[18] = ['constant', 'series'].indexOf(input.kind);
  bytes[19] = READOUTS.indexOf(readout.from);
  node.copy(bytes, 20);
  return xxh64(Buffer.concat([bytes, ...conventionParts(manifest)]));
}

/** Empty if all settings have their defaults, so such a model keeps the id that it had before these settings existed. */
function conventionParts(manifest: Manifest): Uint8Array[] {
  const { v_start, v_min, nodes = {} } = manifest;
  const names = Object.keys(nodes)
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const hasLatest = v_start !== 'zero' || v_min !== undefined || names.length > 0;
  const conventions = conventionBytes(manifest);
  if (!hasLatest && conventions.every((number) => number === 0)) return [];
  if (!hasLatest) return [NONE, conventions];
  const ofNodes = names.flatMap(({ name, bytes }) => {
    const settings = settingsOf(manifest, name);
    return [bytes, NONE, firstBytes(settings), conventionBytes(settings), potentialBytes(settings)];
  });
  return [NONE, conventions, potentialBytes(manifest), ...ofNodes];
}

const NONE = Uint8Array.of(0);

function firstBytes({ reset, if_gain = 'dt' }: NeuronSettings): Uint8Array {
  return Uint8Array.of(
    ['value', 'subtract', 'subtract_delayed', 'value_delayed', 'none'].indexOf(reset),
    ['dt', 'unit'].indexOf(if_gain),
  );
}

function conventionBytes({
  decay,
  lif_gain,
  synapse_gain,
  spikes_per_step,
  fire_at,
  emit,
}: NeuronSettings): Uint8Array {
  const gains = ['dt', 'unit', 'decayed'];
  return Uint8Array.of(
    ['euler', 'exponential'].indexOf(decay),
    gains.indexOf(lif_gain),
    gains.indexOf(synapse_gain),
    ['single', 'multiple'].indexOf(spikes_per_step),
    ['above', 'reached'].indexOf(fire_at),
    ['same_step', 'next_step'].indexOf(emit),
  );
}

function potentialBytes({ v_start, v_min = -Infinity }: NeuronSettings): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes[0] = ['zero', 'leak', 'reset'].indexOf(v_start);
  bytes.writeDoubleLE(v_min, 1);
  return bytes;
}

type Numbers = Uint32Array | Float32Array;

/** The arrays' bytes. Typed arrays are little-endian on every platform of Node.js. */
function bytesOf(parts: readonly Numbers[]): readonly Uint8Array[] {
  return parts
    .filter(({ length }) => length > 0)
    .map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
}

/** Concatenates arrays, starting at `at`. */
function lay(bytes: Uint8Array, at: number, parts: readonly Uint8Array[]): number {
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return at;
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** `state_digest`: covers the answer of a run and its final state. The layout is fixed once for each network. */
export class StateDigest {
  private readonly bytes: Uint8Array;
  private readonly parts: readonly Uint8Array[];

  constructor(modelId: bigint, parts: readonly Numbers[]) {
    this.parts = bytesOf(parts);
    this.bytes = new Uint8Array(12 + lengthOf(this.parts));
    new DataView(this.bytes.buffer).setBigUint64(0, modelId, true);
  }

  /** The input of the last `compute`. Overwritten by the next. */
  get body(): Uint8Array {
    return this.bytes;
  }

  /** Digest of the arrays' current content. */
  compute(steps: number): bigint {
    new DataView(this.bytes.buffer).setUint32(8, steps, true);
    lay(this.bytes, 12, this.parts);
    return xxh64(this.bytes);
  }
}

/** `readout_digest`: covers the answer of a run. */
export class ReadoutDigest {
  private readonly bytes: Uint8Array;
  private readonly parts: readonly Uint8Array[];

  constructor(spikeCounts: Uint32Array, potentials: Float32Array) {
    this.parts = bytesOf([spikeCounts, potentials]);
    this.bytes = new Uint8Array(4 + lengthOf(this.parts) + 16);
  }

  /** Digest of the arrays' current content. */
  compute(steps: number, totalSpikes: number, synapticOperations: number): bigint {
    const view = new DataView(this.bytes.buffer);
    view.setUint32(0, steps, true);
    const at = lay(this.bytes, 4, this.parts);
    view.setBigUint64(at, BigInt(totalSpikes), true);
    view.setBigUint64(at + 8, BigInt(synapticOperations), true);
    return xxh64(this.bytes);
  }
}

/** Trace digests of one node at one step, for nodes of at most `elements` elements. */
export class TraceDigest {
  private readonly bytes: Uint8Array;

  constructor(elements: number) {
    this.bytes = new Uint8Array(3 * 4 * elements);
  }

  /** `parts`: current and potential, if the node has them, and output. */
  compute(parts: readonly Float32Array[]): bigint {
    return xxh64(this.bytes.subarray(0, lay(this.bytes, 0, bytesOf(parts))));
  }
}
