// The conformance cases: small networks in groups, all from one seed. `npx node test/conformance/write.ts` writes them
// to files with their expected values.
import { Random } from '../fuzz/random.ts';
import type { FieldValue, GraphSpec, NodeSpec, Values } from '../support/nir-writer.ts';
import { dims } from '../support/nir-writer.ts';
import { chain, node } from '../support/run-network.ts';
import type { CaseSpec, Settings } from './case-values.ts';
import { STEPS, WIDTH, affine, list, neuron, rows, text } from './case-values.ts';
import { nodeCases } from './node-cases.ts';
import { plainCases } from './plain-cases.ts';
import { windowCases } from './window-cases.ts';

const SEED = 15;
export function allCases(): CaseSpec[] {
  const random = new Random(SEED);
  return [
    ...neurons(random),
    ...conventions(random),
    ...stateless(random),
    ...spellings(random),
    ...graphs(random),
    ...windowCases(random),
    ...plainCases(random),
    ...overTime(random),
    ...nodeCases(random),
  ];
}

/** Readouts that depend on every step: of each neuron, of a Threshold and of a node without state. */
function overTime(random: Random): CaseSpec[] {
  const nodes: Readonly<Record<string, () => NodeSpec>> = {
    ...Object.fromEntries(NEURONS.map((type) => [type, () => neuron(random, type)])),
    Threshold: () => node('Threshold', { threshold: list(random, WIDTH, 0, 1) }),
    Scale: () => node('Scale', { scale: list(random, WIDTH, -2, 2) }),
  };
  return ['max_potential', 'first_spike'].flatMap((from) =>
    Object.entries(nodes).flatMap(([type, make]) =>
      (['series', 'constant'] as const).map((kind) => ({
        name: `readout-${type}-${from}-${kind}`.toLowerCase().replace('_', '-'),
        group: 'readouts',
        graph: chain(WIDTH, WIDTH, { a: affine(random), b: make() }),
        manifest: text(
          { steps: STEPS, spikes_per_step: 'multiple', reset: 'subtract', readout: `{from: ${from}}` },
          kind,
        ),
        input: rows(random, kind === 'series' ? STEPS : 1),
      })),
    ),
  );
}

function integer(value: number): Values {
  return { shape: [], values: [value], dtype: 'int64' };
}

const NEURONS = ['LIF', 'LI', 'IF', 'CubaLIF', 'CubaLI'];
const FIRING = ['LIF', 'IF', 'CubaLIF'];

function one(random: Random, group: string, name: string, type: string, settings: Settings): CaseSpec {
  const graph = chain(WIDTH, WIDTH, { fc: affine(random), neuron: neuron(random, type) });
  return { name, group, graph, manifest: text(settings), input: rows(random) };
}

/** Each neuron, with the oldest settings. */
function neurons(random: Random): CaseSpec[] {
  return NEURONS.flatMap((type) =>
    ['value', 'subtract'].flatMap((reset) =>
      ['dt', 'unit'].map((gain) => {
        const settings = { reset, if_gain: type === 'IF' ? gain : 'dt' };
        return one(random, type, `${type}-${reset}-${gain}`.toLowerCase(), type, settings);
      }),
    ),
  );
}

/** Each convention on each neuron that has it, then the combinations of firing. */
function conventions(random: Random): CaseSpec[] {
  const cases: CaseSpec[] = [];
  const add = (group: string, type: string, settings: Settings): void => {
    const values = Object.values(settings).join('-');
    cases.push(one(random, group, `${group}-${type}-${values}`.toLowerCase().replaceAll('_', '-'), type, settings));
  };
  for (const type of FIRING) {
    for (const reset of ['value', 'subtract', 'subtract_delayed', 'value_delayed']) {
      for (const fireAt of ['above', 'reached']) {
        for (const spikes of ['single', 'multiple']) {
          for (const emit of ['same_step', 'next_step']) {
            const settings = { reset, fire_at: fireAt, spikes_per_step: spikes, emit };
            add('firing', type, type === 'IF' ? { ...settings, if_gain: 'dt' } : settings);
          }
        }
      }
    }
  }
  for (const type of NEURONS.filter((name) => name !== 'IF')) {
    for (const gain of ['unit', 'decayed']) add('lif_gain', type, { lif_gain: gain, reset: 'value' });
    add('decay', type, { decay: 'exponential' });
  }
  for (const type of ['CubaLIF', 'CubaLI']) {
    for (const gain of ['unit', 'decayed']) {
      add('synapse_gain', type, { synapse_gain: gain });
      add('decay', type, { synapse_gain: gain, decay: 'exponential' });
    }
  }
  return [...cases, ...exact(random)];
}

/** Whole numbers, so that potentials can equal their thresholds. */
function exact(random: Random): CaseSpec[] {
  const weight = { shape: [WIDTH, WIDTH], values: random.list(WIDTH * WIDTH, () => random.integer(-1, 2)) };
  const graph = chain(WIDTH, WIDTH, {
    fc: node('Linear', { weight }),
    neuron: node('IF', { r: [1, 1, 1, 1], v_threshold: [1, 2, 3, 4], v_reset: [0, 0, 0, 0] }),
  });
  const input = random.list(STEPS, () => random.list(WIDTH, () => random.integer(0, 1)));
  return ['above', 'reached'].flatMap((fireAt) =>
    ['single', 'multiple'].map((spikes) => ({
      name: `exact-${fireAt}-${spikes}`,
      group: 'firing',
      graph,
      manifest: text({ if_gain: 'unit', reset: 'subtract', fire_at: fireAt, spikes_per_step: spikes }),
      input,
    })),
  );
}

function stateless(random: Random): CaseSpec[] {
  const weight = { shape: [3, WIDTH], values: list(random, 3 * WIDTH, -1, 1) };
  const nodes: Readonly<Record<string, readonly [NodeSpec, number]>> = {
    linear: [node('Linear', { weight }), 3],
    'linear-zeros': [node('Linear', { weight: { shape: [2, WIDTH], values: [0, 0, -0, 0, 1, 0, 0, -1] } }), 2],
    affine: [affine(random, 3), 3],
    'affine-minus-zero': [node('Affine', { weight, bias: [-0, 0.5, -0] }), 3],
    scale: [node('Scale', { scale: list(random, WIDTH, -2, 2) }), WIDTH],
    threshold: [node('Threshold', { threshold: list(random, WIDTH, 0, 1) }), WIDTH],
    flatten: [node('Flatten', { input_type: dims(2, 2), start_dim: integer(0), end_dim: integer(-1) }), WIDTH],
  };
  return Object.entries(nodes).flatMap(([name, [spec, outputs]]) =>
    (['series', 'constant'] as const).map((kind) => ({
      name: `${name}-${kind}`,
      group: spec.type,
      graph: shaped(chain(WIDTH, outputs, { [name]: spec }), spec.fields?.['input_type']),
      manifest: text(kind === 'series' ? {} : { steps: 5 }, kind),
      input: rows(random, kind === 'series' ? STEPS : 1),
    })),
  );
}

/** With an Input of this shape, if it is given. */
function shaped(graph: GraphSpec, shape: FieldValue | undefined): GraphSpec {
  if (shape === undefined) return graph;
  return { ...graph, nodes: { ...graph.nodes, input: node('Input', { shape }) } };
}

/** The same LIF with its parameters written in every form of the exporters. */
function spellings(random: Random): CaseSpec[] {
  const spell: Readonly<Record<string, (value: number) => FieldValue>> = {
    scalar: (value) => value,
    'one-element': (value) => [value],
    vector: (value) => [value, value, value, value],
    'two-axes': (value) => ({ shape: [2, 2], values: [value, value, value, value] }),
    'three-axes': (value) => ({ shape: [1, 2, 2], values: [value, value, value, value] }),
    'scalar-float64': (value) => ({ shape: [], values: [value], dtype: 'float64' }),
    'vector-float64': (value) => ({ shape: [WIDTH], values: [value, value, value, value], dtype: 'float64' }),
    'vector-gzip': (value) => ({ shape: [WIDTH], values: [value, value, value, value], gzip: true }),
  };
  const input = rows(random);
  return Object.entries(spell).flatMap(([name, write]) =>
    [true, false].map((hasReset) => {
      const fields = { tau: write(4e-3), r: write(1.5), v_leak: write(0.02), v_threshold: write(0.25) };
      // At least one parameter gives the number of neurons.
      const lif = node('LIF', { ...fields, ...(hasReset ? { v_reset: write(-0.05) } : {}) });
      return {
        name: `spelling-${name}${hasReset ? '' : '-no-reset'}`,
        group: 'spellings',
        graph: chain(WIDTH, WIDTH, { lif }),
        manifest: text({}),
        input,
      };
    }),
  );
}

/** Networks: depth, recurrence, nested graphs, several sources, a constant input, other readouts. */
function graphs(random: Random): CaseSpec[] {
  const deep = (type: string): GraphSpec =>
    chain(WIDTH, WIDTH, { a: affine(random), b: neuron(random, type), c: affine(random), d: neuron(random, type) });
  const looped = (type: string): GraphSpec => {
    const graph = chain(WIDTH, WIDTH, { fc: affine(random), neuron: neuron(random, type) });
    const back = [['neuron', 'w_rec'] as const, ['w_rec', 'neuron'] as const];
    return { ...graph, nodes: { ...graph.nodes, w_rec: affine(random) }, edges: [...graph.edges, ...back] };
  };
  const nested = (type: string): GraphSpec => chain(WIDTH, WIDTH, { inner: looped(type), last: affine(random) });
  const joined = (): GraphSpec => {
    const graph = chain(WIDTH, WIDTH, { a: affine(random), z: neuron(random, 'LIF') });
    const scale: Values = { shape: [WIDTH], values: list(random, WIDTH, 0.2, 1) };
    const edges = [['input', 's'] as const, ['s', 'z'] as const];
    return { ...graph, nodes: { ...graph.nodes, s: node('Scale', { scale }) }, edges: [...graph.edges, ...edges] };
  };
  const make = (name: string, group: string, graph: GraphSpec, settings: Settings, constant = false): CaseSpec => ({
    name,
    group,
    graph,
    manifest: text(constant ? { ...settings, steps: STEPS } : settings, constant ? 'constant' : 'series'),
    input: rows(random, constant ? 1 : STEPS),
  });
  const readout = (from: string): Settings => ({ readout: `{from: ${from}}` });
  return [
    ...FIRING.flatMap((type) => [
      ...['value', 'subtract', 'subtract_delayed', 'value_delayed'].flatMap((reset) => [
        make(`deep-${type}-${reset}`.toLowerCase(), 'deep', deep(type), { reset }),
        make(`loop-${type}-${reset}`.toLowerCase(), 'recurrence', looped(type), { reset }),
      ]),
      make(`loop-${type}-late`.toLowerCase(), 'recurrence', looped(type), {
        reset: 'subtract_delayed',
        emit: 'next_step',
      }),
      make(`loop-${type}-multiple`.toLowerCase(), 'recurrence', looped(type), {
        reset: 'subtract',
        spikes_per_step: 'multiple',
      }),
      make(`nested-${type}`.toLowerCase(), 'nested', nested(type), {}),
      make(`constant-${type}`.toLowerCase(), 'constant input', deep(type), {}, true),
    ]),
    ...[1, 2, 3, 4].map((n) => make(`joined-${n}`, 'several sources', joined(), {})),
    ...['LIF', 'LI', 'CubaLIF'].flatMap((type) =>
      ['spike_count', 'mean_potential', 'last_potential'].map((from) =>
        make(`readout-${type}-${from}`.toLowerCase().replace('_', '-'), 'readouts', deep(type), readout(from)),
      ),
    ),
  ];
}
