// Compares two traces of one run. Pure.
import type { Trace, TracePlace } from '../engines/engine.ts';

type Quantity = 'current' | 'potential' | 'output';

export interface Difference extends TracePlace {
  readonly element: number;
  readonly quantity: Quantity;
  /** Binary32, as its bits. */
  readonly valueBits: number;
  readonly referenceBits: number;
}

/** In the order of a neuron's computation. */
const QUANTITIES: readonly Quantity[] = ['current', 'potential', 'output'];

/** The first step and node whose digests differ, or the reason if there is none. */
export function firstDifference(trace: Trace, reference: Trace): TracePlace | string {
  const { nodes } = reference;
  if (!haveSameNodes(trace.nodes, nodes)) return 'it evaluates other nodes, or in another order';
  const both = Math.min(trace.digests.length, reference.digests.length);
  for (let at = 0; at < both; at += 1) {
    if (trace.digests[at] === reference.digests[at]) continue;
    return { step: Math.floor(at / nodes.length), node: nodes[at % nodes.length]! };
  }
  if (trace.digests.length === reference.digests.length && trace.ended === reference.ended) {
    return 'its trace shows no difference: what it computes is right, and what it returned was not, or not always';
  }
  const step = both / nodes.length;
  const did = ({ digests, ended }: Trace): string => howItWentOn(digests.length > both, ended);
  return `it did as the others until step ${step}, where it ${did(trace)} and they ${did(reference)}`;
}

/** Names of evaluated nodes, in order. */
export function haveSameNodes(names: readonly string[], reference: readonly string[]): boolean {
  return names.length === reference.length && names.every((name, index) => name === reference[index]);
}

/**
 * Words what a run did at the step at which the other one ended. `ended`: its reason; empty: it ran to its last step.
 */
export function howItWentOn(hasThatStep: boolean, ended: string): string {
  if (hasThatStep) return 'went on';
  return ended === '' ? 'ended' : `ended with ${ended}`;
}

/** Undefined if all values are equal. */
export function firstElement(values: Trace, reference: Trace): Omit<Difference, keyof TracePlace> | undefined {
  for (const quantity of QUANTITIES) {
    const [mine, theirs] = [bitsOf(values[quantity]), bitsOf(reference[quantity])];
    const element = mine.findIndex((bits, at) => bits !== theirs[at]);
    if (element >= 0) return { element, quantity, valueBits: mine[element]!, referenceBits: theirs[element] ?? 0 };
  }
  return undefined;
}

/** Also of bytes that lie unaligned. */
function bitsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer, 0, bytes.length >> 2);
}
