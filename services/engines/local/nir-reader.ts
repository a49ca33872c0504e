// A NIR file to a plain graph. The file may be hostile: nothing is followed, and nothing is read before its size is known.
import { Hdf5Error, Hdf5File } from './hdf5.ts';
import { MAX_DEPTH, MAX_EDGES, MAX_FILE_BYTES, MAX_NAME_BYTES, MAX_NODES, MAX_PARAMETER_ELEMENTS } from './limits.ts';
import { ModelError } from './model-error.ts';
import type { NirGraph, NirNode, Parameter } from './nir-graph.ts';
import { compareNames } from '../../core/names.ts';
import type { Field, IntegerField, NodeType } from './node-types.ts';
import { MAX_RANK, SAME_PADDING, fieldsOf, isIntegerField, isNodeType, rankOfWeight } from './node-types.ts';

interface NirFile {
  readonly graph: NirGraph;
  /** Nodes that are not graphs. */
  readonly nodes: number;
  /** Elements of all floating-point parameters in the file. */
  readonly parameters: number;
}

export function readNir(bytes: Uint8Array): NirFile {
  if (bytes.length > MAX_FILE_BYTES) throw ModelError.file(`is larger than the limit of ${MAX_FILE_BYTES} bytes`);
  try {
    return Hdf5File.read(bytes, (file) => new Reader(file).readFile());
  } catch (error) {
    if (error instanceof ModelError) throw error;
    if (error instanceof Hdf5Error) throw ModelError.file(error.message);
    // Whatever else a damaged file makes the library do (out of memory, a trap in WebAssembly) is the file's fault.
    throw ModelError.fatal(error);
  }
}

class Reader {
  private readonly file: Hdf5File;
  private nodes = 0;
  private edges = 0;
  private parameters = 0;

  constructor(file: Hdf5File) {
    this.file = file;
  }

  readFile(): NirFile {
    if (this.file.kind('/version') !== 'missing') this.expect('/version', 'dataset', '', 'version');
    this.expect('/node', 'group', '', 'node');
    const type = this.readType('/node', '');
    if (type !== 'NIRGraph') throw ModelError.field('', 'type', `must be NIRGraph, found "${type}"`);
    const graph = this.readGraph('/node', '', 0);
    return { graph, nodes: this.nodes, parameters: this.parameters };
  }

  /** Recursion is bounded by MAX_DEPTH, also where hard links make a group its own child. */
  private readGraph(path: string, name: string, depth: number): NirGraph {
    if (depth > MAX_DEPTH) throw ModelError.field(name, 'nodes', `nested deeper than the limit of ${MAX_DEPTH}`);
    this.expect(`${path}/nodes`, 'group', name, 'nodes');
    const nodes = new Map<string, NirNode | NirGraph>();
    for (const child of this.file.members(`${path}/nodes`).sort(compareNames)) {
      const childName = name === '' ? child : `${name}/${child}`;
      const bytes = Buffer.byteLength(childName);
      if (bytes > MAX_NAME_BYTES) {
        const shown = `${childName.slice(0, 100)}…`;
        throw ModelError.field(shown, 'name', `has ${bytes} bytes, above the limit of ${MAX_NAME_BYTES}`);
      }
      const childPath = `${path}/nodes/${child}`;
      this.expect(childPath, 'group', childName, 'type');
      if (this.file.kind(`${childPath}/type`) === 'missing') throw this.withoutType(childPath, childName);
      const type = this.readType(childPath, childName);
      if (type === 'NIRGraph') nodes.set(child, this.readGraph(childPath, childName, depth + 1));
      else if (isNodeType(type)) nodes.set(child, this.readNode(childPath, childName, type));
      else throw ModelError.field(childName, 'type', `unknown node type "${type}"`);
    }
    return { type: 'NIRGraph', nodes, edges: this.readEdges(path, name) };
  }

  private readNode(path: string, name: string, type: NodeType): NirNode {
    this.nodes += 1;
    if (this.nodes > MAX_NODES) throw ModelError.field(name, 'type', `more nodes than the limit of ${MAX_NODES}`);
    const parameters = new Map<string, Parameter>();
    const integers = new Map<string, readonly number[]>();
    for (const field of fieldsOf(type)) {
      const fieldPath = `${path}/${field.name}`;
      if (isIntegerField(field)) {
        if (field.optional === true && this.file.kind(fieldPath) === 'missing') continue;
        this.expect(fieldPath, 'dataset', name, field.name);
        integers.set(field.name, this.readIntegers(fieldPath, name, field));
      } else if (field.absent !== undefined && this.file.kind(fieldPath) === 'missing') {
        parameters.set(field.name, { shape: [], values: Float64Array.of(field.absent) });
      } else {
        this.expect(fieldPath, 'dataset', name, field.name);
        parameters.set(field.name, this.readParameter(fieldPath, name, field, type));
      }
    }
    return { type, parameters, integers };
  }

  /** A group that is no node: most likely a part of a name, since HDF5 takes a slash for a path. */
  private withoutType(path: string, name: string): ModelError {
    const inner = this.file.members(path).find((member) => {
      return this.file.kind(`${path}/${member}`) === 'group' && this.file.kind(`${path}/${member}/type`) !== 'missing';
    });
    if (inner === undefined) return ModelError.field(name, 'type', 'is missing');
    const problem = `is missing: HDF5 makes groups of a node named "${name}/${inner}"; rename the node, without a slash, and export the model again`;
    return ModelError.field(name, 'type', problem);
  }

  private readParameter(path: string, name: string, field: Field, type: NodeType): Parameter {
    const left = MAX_PARAMETER_ELEMENTS - this.parameters;
    const tensor = this.named(name, field.name, () => this.file.floats(path, left));
    this.parameters += tensor.values.length;
    const { values } = tensor;
    const shape = field.kind === 'weight' ? withoutBatch(tensor.shape, rankOfWeight(type)) : tensor.shape;
    if (values.length === 0) throw ModelError.field(name, field.name, `has no elements, shape [${shape.join(', ')}]`);
    if (field.kind === 'weight' && shape.length !== rankOfWeight(type)) {
      const wanted = rankOfWeight(type) === 2 ? '[out, in]' : '[out, in / groups, kernel]';
      throw ModelError.field(name, field.name, `must have shape ${wanted}, found [${shape.join(', ')}]`);
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const remedy = field.name.startsWith('tau') ? '; a neuron that never leaks is an IF: export it as one' : '';
      throw ModelError.field(name, field.name, `must be finite, found ${values[bad]} at index ${bad}${remedy}`);
    }
    const low = field.positive ? values.findIndex((value) => !(value > 0)) : -1;
    if (low >= 0) throw ModelError.field(name, field.name, `must be > 0, found ${values[low]} at index ${low}`);
    const negative = field.notNegative ? values.findIndex((value) => value < 0) : -1;
    if (negative < 0) return { shape, values };
    throw ModelError.field(name, field.name, `must be ≥ 0, found ${values[negative]} at index ${negative}`);
  }

  private readIntegers(path: string, name: string, field: IntegerField): readonly number[] {
    const { min, max, count } = field;
    if (field.maySame === true && this.named(name, field.name, () => this.file.isText(path))) {
      const { values } = this.named(name, field.name, () => this.file.strings(path, 1));
      const padding = new Map([
        ['valid', 0],
        ['same', SAME_PADDING],
      ]).get(values[0] ?? '');
      if (padding !== undefined) return Array<number>(count).fill(padding);
      throw ModelError.field(name, field.name, `must be "same", "valid" or numbers, found "${values[0]}"`);
    }
    const { values } = this.named(name, field.name, () => this.file.integers(path, MAX_RANK));
    if (values.length === 0) throw ModelError.field(name, field.name, 'is empty');
    const bad = values.findIndex((value) => !(value >= min && value <= max));
    if (bad >= 0) throw ModelError.field(name, field.name, `must be ${min} to ${max}, found ${values[bad]}`);
    if (count === 0 || values.length === count) return values;
    if (values.length === 1) return Array<number>(count).fill(values[0]!);
    throw ModelError.field(name, field.name, `must have ${count} numbers, found ${values.length}`);
  }

  private readType(path: string, name: string): string {
    this.expect(`${path}/type`, 'dataset', name, 'type');
    const { values } = this.named(name, 'type', () => this.file.strings(`${path}/type`, 1));
    if (values[0] === undefined) throw ModelError.field(name, 'type', 'is empty');
    return values[0];
  }

  private readEdges(path: string, name: string): readonly (readonly [string, string])[] {
    this.expect(`${path}/edges`, 'dataset', name, 'edges');
    const left = MAX_EDGES - this.edges;
    const { shape, values } = this.named(name, 'edges', () => this.file.strings(`${path}/edges`, 2 * left));
    if (values.length > 0 && (shape.length !== 2 || shape[1] !== 2)) {
      throw ModelError.field(name, 'edges', `must have shape [edges, 2], found [${shape.join(', ')}]`);
    }
    this.edges += values.length / 2;
    return Array.from({ length: values.length / 2 }, (_, row) => [values[2 * row]!, values[2 * row + 1]!] as const);
  }

  private expect(path: string, wanted: 'group' | 'dataset', node: string, field: string): void {
    const found = this.named(node, field, () => this.file.kind(path));
    if (found === wanted) return;
    if (found === 'missing') throw ModelError.field(node, field, 'is missing');
    throw ModelError.field(node, field, `must be a ${wanted}, found a ${found === 'other' ? 'data type' : found}`);
  }

  private named<T>(node: string, field: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof Hdf5Error) throw ModelError.field(node, field, error.message);
      throw error;
    }
  }
}

/** Leading dimensions of 1 are a batch of one. */
function withoutBatch(shape: readonly number[], rank: number): readonly number[] {
  const extra = shape.findIndex((length, axis) => length !== 1 || shape.length - axis <= rank);
  return extra < 0 ? shape : shape.slice(extra);
}
