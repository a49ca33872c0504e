// Reads the token vectors of a text model from its NIR file: the weight of the linear node "embedding" after the input.
// They are integers times one power of two, so they are exact in binary32 and in int8.
import { readNir } from '../../engines/local/nir-reader.ts';
import type { TokenVectors } from './text-embedding.ts';

const NODE = 'embedding';
const LARGEST = 127;

/**
 * Undefined: the model has no such node, or its weight is not int8 times a power of two. Throws if the file is not a
 * NIR file.
 */
export function tokenVectors(nir: Uint8Array, tokens: number): TokenVectors | undefined {
  const node = readNir(nir).graph.nodes.get(NODE);
  if (node === undefined || node.type !== 'Linear') return undefined;
  const weight = node.parameters.get('weight');
  if (weight === undefined || weight.shape.length !== 2 || weight.shape[1] !== tokens) return undefined;
  const [dimensions = 0] = weight.shape;
  const step = stepOf(weight.values);
  const values = new Int8Array(tokens * dimensions);
  for (let k = 0; k < dimensions; k += 1) {
    for (let token = 0; token < tokens; token += 1) {
      const value = weight.values[k * tokens + token]! / step;
      if (!Number.isInteger(value) || Math.abs(value) > LARGEST) return undefined;
      values[token * dimensions + k] = value;
    }
  }
  return { dimensions, values };
}

/** The power of two that scales the largest value to at most 127. */
function stepOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let k = 0; k < values.length; k += 1) largest = Math.max(largest, Math.abs(values[k]!));
  return 2 ** Math.ceil(Math.log2(largest / LARGEST || 1));
}
