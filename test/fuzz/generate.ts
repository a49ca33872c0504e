// One fuzz case: a pure function of its seed.
import type { GraphSpec } from '../support/nir-writer.ts';
import { READOUTS } from '../../services/config/readout.ts';
import { damage } from './damage.ts';
import { Random } from './random.ts';
import { inputsOf, randomGraph } from './random-graph.ts';
import type { Temper } from './random-values.ts';
import { inputValues, pickTemper } from './random-values.ts';
import { randomPicture } from './random-windows.ts';

interface FuzzInput {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export interface FuzzCase {
  readonly seed: number;
  readonly graph: GraphSpec;
  /** The text of model.yaml. */
  readonly manifest: string;
  readonly inputs: readonly FuzzInput[];
}

export const INPUTS_A_CASE = 2;

export function generate(seed: number): FuzzCase {
  const random = new Random(seed);
  const temper = pickTemper(random);
  const dt = random.pick([1e-4, 1e-3, 0.3, 1]);
  const picture = random.chance(0.4) ? randomPicture(random, temper) : undefined;
  const shape = picture?.shape ?? [random.pick([1, 2, 3, 5, 8, 16, 30])];
  const kind = random.pick(['constant', 'series'] as const);
  const sound = randomGraph(
    random,
    dt,
    temper,
    shape.reduce((product, length) => product * length, 1),
    picture,
  );
  const width = inputsOf(sound);
  const graph = random.chance(0.03) ? damage(random, sound) : sound;
  const steps = pickSteps(random);
  const manifest = [
    `dt: ${dt}`,
    `steps: ${steps}`,
    ...settings(random),
    ...(graph === sound ? nodeSettings(random, graph) : []),
    `input: {${random.chance(0.5) ? `shape: [${width}], ` : ''}kind: ${kind}}`,
    `readout: {${readoutNode(random, graph)}from: ${random.pick(READOUTS)}}`,
  ].join('\n');
  const inputs = random.list(INPUTS_A_CASE, () => randomInput(random, kind, width, temper));
  return { seed, graph, manifest: `${manifest}\n`, inputs };
}

/** The conventions of the neurons; half of the cases have only the oldest settings. */
function settings(random: Random): string[] {
  const ifGain = `if_gain: ${random.pick(['dt', 'unit'])}`;
  if (random.chance(0.5)) return [`reset: ${random.pick(['value', 'subtract'])}`, ifGain];
  const gains = ['dt', 'unit', 'decayed'];
  return [
    `reset: ${random.pick(['value', 'subtract', 'subtract_delayed', 'value_delayed', 'none'])}`,
    ifGain,
    `decay: ${random.pick(['euler', 'exponential'])}`,
    `lif_gain: ${random.pick(gains)}`,
    `synapse_gain: ${random.pick(gains)}`,
    `spikes_per_step: ${random.pick(['single', 'multiple'])}`,
    `fire_at: ${random.pick(['above', 'reached'])}`,
    `emit: ${random.pick(['same_step', 'next_step'])}`,
    ...(random.chance(0.3) ? [`v_start: ${random.pick(['zero', 'leak', 'reset'])}`] : []),
    ...(random.chance(0.3) ? [`v_min: ${random.pick([-1, -0.1, 0, 0.05])}`] : []),
  ];
}

/** Separate settings for some neurons in a third of the cases; sometimes for a node without settings. */
function nodeSettings(random: Random, graph: GraphSpec): string[] {
  if (random.chance(0.65)) return [];
  const named = neuronsOf(graph, '')
    .filter(() => random.chance(0.5))
    .map(
      (name) =>
        `  ${JSON.stringify(name)}: {${random.shuffled(settings(random)).slice(0, random.integer(0, 6)).join(', ')}}`,
    );
  if (random.chance(0.01)) named.push('  "no such node": {reset: none}');
  return named.length === 0 ? [] : ['nodes:', ...named];
}

/** Names after flattening. */
function neuronsOf({ nodes }: GraphSpec, prefix: string): string[] {
  return Object.entries(nodes).flatMap(([name, node]) => {
    if ('nodes' in node) return neuronsOf(node, `${prefix}${name}/`);
    return /^(LIF|LI|IF|I|CubaLIF|CubaLI)$/.test(node.type) ? [prefix + name] : [];
  });
}

function pickSteps(random: Random): number {
  return random.chance(0.05) ? random.integer(50, 200) : random.integer(1, 20);
}

/** Sometimes the output by name, sometimes a node that reaches it. */
function readoutNode(random: Random, graph: GraphSpec): string {
  if (random.chance(0.6)) return '';
  const output = Object.entries(graph.nodes).find(([, { type }]) => type === 'Output')?.[0] ?? '';
  const reached = new Set([output]);
  for (const name of reached) for (const [source, target] of graph.edges) if (target === name) reached.add(source);
  const names = [...reached].filter((name) => graph.nodes[name] !== undefined && !('nodes' in graph.nodes[name]));
  return `node: ${JSON.stringify(random.pick(names))}, `;
}

function randomInput(random: Random, kind: 'constant' | 'series', width: number, temper: Temper): FuzzInput {
  const steps = pickSteps(random);
  const shape = kind === 'constant' ? [width] : [steps, width];
  const values = inputValues(random, kind === 'constant' ? width : steps * width, temper);
  if (random.chance(0.02)) return badInput(random, shape, values, width);
  return { shape, data: asBytes(values) };
}

/** One that both engines must refuse, for the same reason. */
function badInput(random: Random, shape: readonly number[], values: Float32Array, width: number): FuzzInput {
  switch (random.integer(0, 3)) {
    case 0:
      values[random.integer(0, values.length - 1)] = random.pick([NaN, Infinity, -Infinity]);
      return { shape, data: asBytes(values) };
    case 1:
      return { shape, data: asBytes(values).subarray(4) };
    case 2:
      return { shape: [width + 1], data: asBytes(new Float32Array(width + 1)) };
    default:
      return shape.length === 1
        ? { shape: [2, width], data: asBytes(new Float32Array(2 * width)) }
        : { shape: [width], data: asBytes(new Float32Array(width)) };
  }
}

function asBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer);
}
