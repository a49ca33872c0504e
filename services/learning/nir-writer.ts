// Encodes a NIR graph as a file. Equal graphs give equal bytes.
import * as h5wasm from 'h5wasm';
import type { NirGraph, NirNode, Parameter } from '../engines/local/nir-graph.ts';
import { SAME_PADDING } from '../engines/local/node-types.ts';

const PATH = '/student.nir';

const module = await h5wasm.ready;

export function writeNir(graph: NirGraph): Uint8Array {
  atTimeZero(() => {
    const file = new h5wasm.File(PATH, 'w');
    try {
      text(file, 'version', '1.0');
      writeGraph(file.create_group('node'), graph);
    } finally {
      file.close();
    }
  });
  const bytes = module.FS.readFile(PATH);
  module.FS.unlink(PATH);
  return bytes;
}

/**
 * HDF5 writes the time, in seconds, into each dataset, and h5wasm cannot switch that off. `work` is synchronous: no other
 * code sees this clock.
 */
function atTimeZero(work: () => void): void {
  const now = Date.now;
  Date.now = () => 0;
  try {
    work();
  } finally {
    Date.now = now;
  }
}

function writeGraph(group: h5wasm.Group, { nodes, edges }: NirGraph): void {
  text(group, 'type', 'NIRGraph');
  if (edges.length === 0) group.create_dataset({ name: 'edges', data: new Float64Array(0), shape: [0] });
  else group.create_dataset({ name: 'edges', data: edges.flat(), shape: [edges.length, 2], dtype: 'S' });
  const children = group.create_group('nodes');
  for (const [name, node] of nodes) {
    const child = children.create_group(name);
    if (node.type === 'NIRGraph') writeGraph(child, node);
    else writeNode(child, node);
  }
}

function writeNode(group: h5wasm.Group, { type, parameters, integers }: NirNode): void {
  text(group, 'type', type);
  for (const [name, parameter] of parameters) writeParameter(group, name, parameter);
  for (const [name, values] of integers) {
    if (values.includes(SAME_PADDING)) text(group, name, 'same');
    else group.create_dataset({ name, data: BigInt64Array.from(values, BigInt), shape: [values.length], dtype: '<q' });
  }
}

/** As binary32 if that represents every value exactly. */
function writeParameter(group: h5wasm.Group, name: string, { shape, values }: Parameter): void {
  const isSingle = values.every((value) => Math.fround(value) === value);
  const data = isSingle ? Float32Array.from(values) : values;
  group.create_dataset({ name, data, shape: [...shape], dtype: isSingle ? '<f' : '<d' });
}

function text(group: h5wasm.Group, name: string, data: string): void {
  group.create_dataset({ name, data, shape: [], dtype: 'S' });
}
