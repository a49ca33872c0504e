// The step of a node with membrane potentials: proto/NUMERICS.md, "A step".
import type { Arena } from './arena.ts';
import { arenaBytes } from './arena.ts';
import type { SpikeList } from './kernels.ts';
import type { NetworkNode } from './network.ts';
import { NEURON_CONSTANTS } from './neuron-kernels.ts';
import type { NeuronType } from './node-types.ts';
import type { Step } from './step.ts';

/** Elements between two checks of the interrupt. */
const PIECE = 1 << 16;
/** Cost of an element of a neuron, in work units. */
const UNITS_A_NEURON = 4;
/** Elements of a vector. */
const LANES = 4;

/** The largest finite binary32. */
const NEVER_REACHED = (2 - 2 ** -23) * 2 ** 127;

interface NeuronRows {
  readonly v: Float32Array;
  readonly i: Float32Array;
  readonly y: Float32Array;
  readonly spikes: SpikeList | undefined;
}

/** Arena memory of `neuronStep`. */
export function neuronArenaBytes(type: NeuronType, size: number): number {
  return NEURON_CONSTANTS[type].length * arenaBytes(size);
}

export function neuronStep(
  type: NeuronType,
  node: NetworkNode,
  { v, i, y, spikes: list }: NeuronRows,
  arena: Arena,
): Step {
  const kernel = arena.neurons(node.rule!)[type];
  const { lanes } = arena;
  const size = node.outputSize;
  const constants = layOutConstants(type, node, arena);
  const bytesAnElement = 4 * NEURON_CONSTANTS[type].length;
  const [rowV, rowI, rowY, spikes] = [v.byteOffset, i.byteOffset, y.byteOffset, list?.at.byteOffset ?? 0];
  return (x, interrupt, report) => {
    let count = 0;
    for (let from = 0; from < size && count >= 0; from += PIECE) {
      const to = Math.min(size, from + PIECE);
      const first = constants + from * bytesAnElement;
      count = kernel(rowV, rowI, rowY, x.byteOffset, first, spikes, lanes, 4 * from, 4 * to, count);
      interrupt.spend((to - from) * UNITS_A_NEURON);
    }
    report.finite = count >= 0;
    if (list !== undefined) list.count = Math.max(0, count);
    else if (y !== v) y.set(v);
  };
}

/** Copies the constants, those of four elements side by side, and returns their address. */
function layOutConstants(type: NeuronType, { constants, outputSize }: NetworkNode, arena: Arena): number {
  const fields = NEURON_CONSTANTS[type];
  const copy = arena.floats(neuronArenaBytes(type, outputSize) / 4);
  for (const [index, field] of fields.entries()) {
    // The padding of the last vector never fires, even if neurons fire when they only reach their threshold.
    const padding = field === 'threshold' ? NEVER_REACHED : 0;
    for (let k = 0; k < arenaBytes(outputSize) / 4; k += 1) {
      const lane = k % LANES;
      copy[(k - lane) * fields.length + LANES * index + lane] = constants[field]?.[k] ?? padding;
    }
  }
  return copy.byteOffset;
}
