// Writes numpy's .npz files, for tests.
import { zipSync } from 'fflate';

/** The bytes of an .npy file of binary32 numbers, or of another type where `type` says so. */
export function npy(shape: readonly number[], data: Uint8Array, type = '<f4', fortran = false): Uint8Array {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const order = fortran ? 'True' : 'False';
  const header = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${list}), }\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), data]);
}

/** A row for each step. */
export function npz(arrays: Readonly<Record<string, readonly (readonly number[])[]>>): Uint8Array {
  const files = Object.entries(arrays).map(([name, steps]) => {
    const values = Float32Array.from(steps.flat());
    return [`${name}.npy`, npy([steps.length, steps[0]!.length], new Uint8Array(values.buffer))] as const;
  });
  return zipSync(Object.fromEntries(files));
}
