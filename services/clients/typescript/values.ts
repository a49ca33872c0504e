// Converts numbers to and from Tandem's messages.
import type { Tensor } from '../../generated/tandem/v1/reasoning.ts';

/** A 64-bit digest as 16 hexadecimal digits, as the command line prints it. */
export function digestHex(digest: bigint): string {
  return digest.toString(16).padStart(16, '0');
}

/**
 * An input as a tensor: smaller and faster than a list of numbers. `shape` is [values] unless given; a time series has [steps, …].
 * Throws RangeError if the shape does not match the number of values.
 */
export function tensorOf(values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (size !== values.length) {
    throw new RangeError(`shape [${shape.join(', ')}] has ${size} values, and ${values.length} were given`);
  }
  const data = Buffer.alloc(values.length * 4);
  for (let k = 0; k < values.length; k += 1) data.writeFloatLE(values[k]!, k * 4);
  return { shape: [...shape], dtype: 'FP32', data };
}
