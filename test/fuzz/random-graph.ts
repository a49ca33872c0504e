// Random NIR graphs that hold together: every node type, loops of every kind, nested graphs, names that sort oddly.
import type { FieldValue, GraphSpec, NodeSpec } from '../support/nir-writer.ts';
import { dims } from '../support/nir-writer.ts';
import type { Random } from './random.ts';
import type { Temper } from './random-values.ts';
import { factor, vector, wild } from './random-values.ts';

const WIDTHS = [1, 2, 3, 4, 5, 6, 8, 12, 17, 33];
const KINDS = [
  ...['Linear', 'Affine', 'Affine', 'Affine', 'LIF', 'LIF', 'IF', 'CubaLIF', 'LI', 'CubaLI'],
  ...['Scale', 'Threshold', 'Flatten', 'NIRGraph'],
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

interface Built {
  readonly name: string;
  readonly kind: string;
  readonly inputs: number;
  readonly outputs: number;
}

export function randomGraph(random: Random, dt: number, temper: Temper, inputs: number): GraphSpec {
  return build(random, dt, temper, inputs, undefined, 0);
}

function build(
  random: Random,
  dt: number,
  temper: Temper,
  inputs: number,
  outputs: number | undefined,
  depth: number,
): GraphSpec {
  const names = random.shuffled(NAMES);
  const input = { name: random.pick(['input', 'in', 'z']), kind: 'Input', inputs, outputs: inputs };
  const nodes: Record<string, NodeSpec | GraphSpec> = { [input.name]: ends('Input', random, inputs) };
  const built: Built[] = [input];
  const edges: [string, string][] = [];
  const count = random.integer(outputs === undefined ? 1 : 0, depth === 0 ? 12 : 3);
  for (let n = 0; n < count; n += 1) {
    const kind = random.pick(depth < MAX_NESTING ? KINDS : KINDS.filter((one) => one !== 'NIRGraph'));
    add(kind, names[n]!, random.pick(WIDTHS));
  }
  // Whatever width has come about, the graph ends on the one that is asked for.
  if (outputs !== undefined && built.at(-1)!.outputs !== outputs) add('Affine', names[count]!, outputs);

  const last = built.at(-1)!;
  const output = { name: random.pick(['output', 'out', 'A']), inputs: last.outputs };
  nodes[output.name] = ends('Output', random, last.outputs);
  edges.push([last.name, output.name]);
  // More sources, of which three or more show the order of their sum. Loops: to any node but the input, from any node,
  // itself included.
  for (const target of [...built.slice(1), { name: output.name, inputs: output.inputs }]) {
    const fitting = built.filter(({ outputs: width }) => width === target.inputs);
    if (fitting.length === 0 || random.chance(0.65)) continue;
    for (let n = random.integer(1, 3); n > 0; n -= 1) edges.push([random.pick(fitting).name, target.name]);
  }
  if (random.chance(0.1)) edges.push(random.pick(edges));
  return { type: 'NIRGraph', nodes: shuffleKeys(random, nodes), edges: random.shuffled(edges) };

  function add(kind: string, name: string, width: number): void {
    // Mostly a chain, so that what is built takes part.
    const source = random.chance(0.75) ? built.at(-1)! : random.pick(built);
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
  const some = (low: number, high: number): FieldValue => {
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
    const reach = random.pick([0.2, 0.7, 1.5]);
    const one = () => (random.chance(zeros) ? 0 : wild(random, temper, () => random.between(-reach, reach)));
    const dtype = random.pick(['float32', 'float64'] as const);
    return {
      shape: [size, node.inputs],
      values: random.list(size * node.inputs, one),
      dtype,
      gzip: random.chance(0.1),
    };
  };
  switch (node.kind) {
    case 'Linear':
      return { weight: weight() };
    case 'Affine':
      return { weight: weight(), bias: some(-0.2, 0.4) };
    case 'Scale':
      return { scale: some(-2, 2) };
    case 'Threshold':
      return { threshold: some(-0.2, 0.5) };
    case 'Flatten':
      return { input_type: dims(...factor(random, size)), start_dim: int(0), end_dim: int(-1) };
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
