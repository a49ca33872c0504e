// Random NIR graphs that hold together: every node type, loops of every kind, nested graphs, names that sort oddly.
import type { FieldValue, GraphSpec, NodeSpec, Values } from '../support/nir-writer.ts';
import { dims } from '../support/nir-writer.ts';
import type { Random } from './random.ts';
import type { Temper } from './random-values.ts';
import { factor, vector, wild } from './random-values.ts';
import type { Picture } from './random-windows.ts';

const WIDTHS = [1, 2, 3, 4, 5, 6, 8, 12, 17, 33];
const KINDS = [
  ...['Linear', 'Affine', 'Affine', 'Affine', 'LIF', 'LIF', 'IF', 'CubaLIF', 'LI', 'CubaLI'],
  ...['Scale', 'Threshold', 'Flatten', 'I', 'Delay', 'NIRGraph'],
];
// U+FF5E sorts before U+1F600 as UTF-8 bytes, and behind it as UTF-16: canonical order is by bytes.
const NAMES = [
  '0',
  '1',
  '10',
  '2',
  'lif1.lif',
  'lif1.w_rec',
  'B',
  'a',
  'a b',
  'é',
  '神経',
  '\u{ff5e}',
  '\u{1f600}',
  '..x',
  '-',
];
const MAX_NESTING = 2;
const WEIGHTED: ReadonlySet<string> = new Set(['Linear', 'Affine']);

interface Built {
  readonly name: string;
  readonly kind: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** A network that starts with a picture takes its shape, another one a row of `inputs` elements. */
export function randomGraph(
  random: Random,
  dt: number,
  temper: Temper,
  inputs: number,
  picture: Picture | undefined,
): GraphSpec {
  return build(random, dt, temper, inputs, undefined, 0, picture);
}

/** Elements of all Inputs together. */
export function inputsOf({ nodes }: GraphSpec): number {
  return Object.values(nodes)
    .filter((node): node is NodeSpec => node.type === 'Input')
    .map((node) => (node.fields!['shape'] as Values).values.reduce((product, length) => product * length, 1))
    .reduce((sum, elements) => sum + elements, 0);
}

function build(
  random: Random,
  dt: number,
  temper: Temper,
  inputs: number,
  outputs: number | undefined,
  depth: number,
  picture?: Picture,
): GraphSpec {
  const names = random.shuffled(NAMES);
  const input = { name: random.pick(['input', 'in', 'z']), kind: 'Input', inputs, outputs: inputs };
  const nodes: Record<string, NodeSpec | GraphSpec> = { [input.name]: ends('Input', random, inputs) };
  const built: Built[] = [input];
  const edges: [string, string][] = [];
  if (picture !== undefined) {
    nodes[input.name] = { type: 'Input', fields: { shape: dims(...picture.shape) } };
    for (const { spec, ...node } of picture.nodes) {
      nodes[node.name] = spec;
      edges.push([built.at(-1)!.name, node.name]);
      built.push(node);
    }
  }
  const count = random.integer(outputs === undefined ? 1 : 0, depth === 0 ? 12 : 3);
  for (let n = 0; n < count; n += 1) {
    const kind = random.pick(depth < MAX_NESTING ? KINDS : KINDS.filter((one) => one !== 'NIRGraph'));
    add(kind, names[n]!, random.pick(WIDTHS));
  }
  // Whatever width has come about, the graph ends on the one that is asked for.
  if (outputs !== undefined && built.at(-1)!.outputs !== outputs) add('Affine', names[count]!, outputs);

  if (random.chance(0.1)) addOverflowingSum(names[count + 1]!, names[count + 2]!);
  addWeightedLoop();
  // Mostly from the last node; now and then straight from a weighted one.
  const weighted = built.filter(({ kind, outputs: width }) => {
    return WEIGHTED.has(kind) && width === built.at(-1)!.outputs;
  });
  const last = weighted.length > 0 && random.chance(0.15) ? random.pick(weighted) : built.at(-1)!;
  if (depth === 0 && random.chance(0.1)) addInput();
  const output = { name: random.pick(['output', 'out', 'A']), inputs: last.outputs };
  nodes[output.name] = ends('Output', random, last.outputs);
  edges.push([last.name, output.name]);
  if (depth === 0 && random.chance(0.1)) {
    const { name, outputs: width } = random.pick(built);
    nodes['Z out'] = ends('Output', random, width);
    edges.push([name, 'Z out']);
  }
  // More sources: three or more show the order of their sum. Loops: to any node but the input, from any node,
  // itself included.
  for (const target of [...built.slice(1), { name: output.name, inputs: output.inputs }]) {
    const fitting = built.filter(({ outputs: width }) => width === target.inputs);
    if (fitting.length === 0 || random.chance(0.65)) continue;
    for (let n = random.integer(1, 3); n > 0; n -= 1) edges.push([random.pick(fitting).name, target.name]);
  }
  if (random.chance(0.1)) edges.push(random.pick(edges));
  return { type: 'NIRGraph', nodes: shuffleKeys(random, nodes), edges: random.shuffled(edges) };

  /** A loop from a weighted node straight to itself, which then often is its only source. */
  function addWeightedLoop(): void {
    const square = built.filter(({ kind, inputs: a, outputs: b }) => WEIGHTED.has(kind) && a === b);
    if (square.length === 0 || random.chance(0.6)) return;
    const { name } = random.pick(square);
    const [source] = edges.find(([, target]) => target === name)!;
    edges.push([name, name]);
    // Another node takes over what it had as its input, so that the graph still hangs together.
    const other = built.find((node) => node.name !== name && node.name !== input.name && node.inputs === widthOf(name));
    if (other === undefined || random.chance(0.5)) return;
    edges.splice(
      edges.findIndex(([, target]) => target === name),
      1,
    );
    edges.push([source, other.name], [name, other.name]);
  }

  /** Two values, each finite, whose sum is not, before a node that makes a finite value of any. */
  function addOverflowingSum(first: string, second: string): void {
    const source = built.at(-1)!;
    const width = source.outputs;
    for (const name of [first, second]) {
      nodes[name] = { type: 'Scale', fields: { scale: { shape: [1], values: [random.between(1e37, 3e38)] } } };
      edges.push([source.name, name]);
      built.push({ name, kind: 'Scale', inputs: width, outputs: width });
    }
    add('Threshold', 'sum', width, built.at(-1));
    edges.push([first, 'sum']);
  }

  /** A second Input, beside the sources that a node has. */
  function addInput(): void {
    const target = random.pick(built.slice(1));
    nodes['also in'] = ends('Input', random, target.inputs);
    edges.push(['also in', target.name]);
  }

  function widthOf(name: string): number {
    return built.find((node) => node.name === name)!.outputs;
  }

  function add(kind: string, name: string, width: number, from?: Built): void {
    // Mostly a chain, so that what is built takes part.
    const source = from ?? (random.chance(0.75) ? built.at(-1)! : random.pick(built));
    const widens = kind === 'Linear' || kind === 'Affine' || kind === 'NIRGraph';
    const node = { name, kind, inputs: source.outputs, outputs: widens ? width : source.outputs };
    nodes[name] =
      kind === 'NIRGraph'
        ? build(random, dt, temper, node.inputs, node.outputs, depth + 1)
        : { type: kind, fields: fields(random, node, dt, temper) };
    edges.push([source.name, name]);
    built.push(node);
  }
}

function ends(type: 'Input' | 'Output', random: Random, size: number): NodeSpec {
  return { type, fields: { shape: dims(...factor(random, size)) } };
}

function fields(random: Random, node: Built, dt: number, temper: Temper): Record<string, FieldValue> {
  const size = node.outputs;
  const hasZeroRow = random.chance(0.25);
  const some = (low: number, high: number): Values => {
    return vector(random, size, () => wild(random, temper, () => random.between(low, high)));
  };
  const tau = (): FieldValue => vector(random, size, () => dt * random.between(random.chance(0.05) ? 0.3 : 1.2, 20));
  const fire = () => ({
    v_threshold: some(random.chance(0.1) ? -0.2 : 0.02, 0.6),
    ...(random.chance(0.6) ? { v_reset: some(-0.2, 0.1) } : {}),
  });
  const leaky = () => ({ r: some(0.5, 2), v_leak: some(-0.1, 0.2) });
  const synapse = () => ({ tau_syn: tau(), tau_mem: tau(), ...(random.chance(0.6) ? { w_in: some(0.5, 2) } : {}) });
  const weight = (): FieldValue => {
    const zeros = random.pick([0, 0, 0.5]);
    const reach = random.chance(0.03) ? 2e38 : random.pick([0.2, 0.7, 1.5]);
    const one = () => (random.chance(zeros) ? 0 : wild(random, temper, () => random.between(-reach, reach)));
    const dtype = random.pick(['float32', 'float64'] as const);
    const values = random.list(size * node.inputs, one);
    // An output that gets nothing but zeros shows in what sign its bias is left.
    if (hasZeroRow) values.fill(0, 0, node.inputs);
    if (hasZeroRow) for (let k = 0; k < node.inputs; k += 1) if (random.chance(0.7)) values[k] = -0;
    return { shape: [size, node.inputs], values, dtype, gzip: random.chance(0.1) };
  };
  const bias = (): FieldValue => {
    const value = some(-0.2, 0.4);
    return hasZeroRow ? { ...value, values: [-0, ...value.values.slice(1)] } : value;
  };
  switch (node.kind) {
    case 'Linear':
      return { weight: weight() };
    case 'Affine':
      return { weight: weight(), bias: bias() };
    case 'Scale':
      return { scale: some(-2, 2) };
    case 'Threshold':
      return { threshold: some(-0.2, 0.5) };
    case 'Flatten':
      return {
        ...(random.chance(0.6) ? { input_type: dims(...factor(random, size)) } : {}),
        ...(random.chance(0.8) ? { start_dim: int(random.integer(-2, 2)), end_dim: int(random.integer(-2, 2)) } : {}),
      };
    case 'Delay':
      return { delay: vector(random, size, () => dt * random.pick([0, 0.4, 0.5, 1, 2, 3.5, 7])) };
    case 'I':
      return { r: random.chance(0.5) ? some(0.5 / dt, 2 / dt) : some(0.5, 2) };
    case 'LIF':
      return { tau: tau(), ...leaky(), ...fire() };
    case 'LI':
      return { tau: tau(), ...leaky() };
    case 'IF':
      // With `if_gain: dt` the gain is dt·r: sometimes large enough to matter.
      return { r: random.chance(0.5) ? some(0.5 / dt, 2 / dt) : some(0.5, 2), ...fire() };
    case 'CubaLIF':
      return { ...synapse(), ...leaky(), ...fire() };
    default:
      return { ...synapse(), ...leaky() };
  }
}

function int(value: number): FieldValue {
  return { shape: [], values: [value], dtype: 'int64' };
}

function shuffleKeys<T>(random: Random, object: Record<string, T>): Record<string, T> {
  return Object.fromEntries(random.shuffled(Object.entries(object)));
}
