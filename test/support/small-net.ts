// A small network as a NIR file: three inputs, two neurons. Other weights make another model.
import { dims, matrix, writeNir } from './nir-writer.ts';

const made = new Map<number, Uint8Array>();

/** Created once, since HDF5 writes the time into a file. */
export function smallNet(weight = 1): Uint8Array {
  const bytes = made.get(weight) ?? write(weight);
  made.set(weight, bytes);
  return bytes;
}

function write(weight: number): Uint8Array {
  return writeNir({
    type: 'NIRGraph',
    nodes: {
      input: { type: 'Input', fields: { shape: dims(3) } },
      weights: { type: 'Linear', fields: { weight: matrix([weight, 2, 0], [0, weight, 2]) } },
      neurons: {
        type: 'LIF',
        fields: { tau: [0.01, 0.01], r: [1, 1], v_leak: [0, 0], v_threshold: [0.1, 0.1], v_reset: [0, 0] },
      },
      output: { type: 'Output', fields: { shape: dims(2) } },
    },
    edges: [
      ['input', 'weights'],
      ['weights', 'neurons'],
      ['neurons', 'output'],
    ],
  });
}
