// Offsets of a network's parts in its session state: proto/NUMERICS.md, "Session state".
import { BODY_AT, CHECKSUM_BYTES, COUNTS_AT } from '../../core/state-bytes.ts';
import { delayRows } from './delays.ts';
import type { Network, NetworkNode } from './network.ts';
import { isStateful } from './node-types.ts';

/** Elements of a node that are state, in the order of the body. */
interface NodeParts {
  /** Position in `Network.nodes`. */
  readonly node: number;
  readonly current: number;
  readonly potential: number;
  readonly delayed: number;
  readonly output: number;
}

export interface StateLayout {
  /** Of a state. */
  readonly bytes: number;
  readonly bodyBytes: number;
  /** Elements of the readout. */
  readonly outputs: number;
  /** Elements that the readout sums up over the steps. */
  readonly sums: number;
  /** Whether the collected values are potentials. */
  readonly resumesPotentials: boolean;
  /** In canonical order. */
  readonly parts: readonly NodeParts[];
}

export function stateLayout(network: Network): StateLayout {
  const { nodes, canonical, readout, readoutFrom } = network;
  const parts = canonical.map((node) => partsOf(node, nodes[node]!));
  const elements = parts.reduce((sum, { current, potential, delayed, output }) => {
    return sum + current + potential + delayed + output;
  }, 0);
  const outputs = nodes[readout]!.outputSize;
  const sums = readoutFrom === 'mean_potential' ? outputs : 0;
  const resumesPotentials = readoutFrom === 'max_potential' || readoutFrom === 'first_spike';
  const bodyBytes = COUNTS_AT - BODY_AT + 4 * (2 * outputs + elements);
  return { bytes: BODY_AT + bodyBytes + 4 * sums + CHECKSUM_BYTES, bodyBytes, outputs, sums, resumesPotentials, parts };
}

function partsOf(node: number, { type, outputSize, delays, feedsBack }: NetworkNode): NodeParts {
  return {
    node,
    current: type.startsWith('Cuba') ? outputSize : 0,
    potential: isStateful(type) ? outputSize : 0,
    delayed: delays === undefined ? 0 : delayRows(delays) * outputSize,
    output: feedsBack ? outputSize : 0,
  };
}
