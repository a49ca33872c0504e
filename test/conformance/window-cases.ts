// Convolutions, pools, delays and integrators, in the forms of the exporters.
import type { Random } from '../fuzz/random.ts';
import type { FieldValue, GraphSpec, NodeSpec, Values } from '../support/nir-writer.ts';
import { dims } from '../support/nir-writer.ts';
import { chain, node } from '../support/run-network.ts';
import type { CaseSpec } from './case-values.ts';
import { DT, WIDTH, list, rows, text } from './case-values.ts';

const STEPS = 5;

export function windowCases(random: Random): CaseSpec[] {
  return [...convolutions(random), ...pools(random), ...delays(random), ...integrators(random)];
}

function scalar(value: number): Values {
  return { shape: [], values: [value], dtype: 'int64' };
}

/** Between an Input and an Output of these shapes. */
function between(input: readonly number[], spec: NodeSpec, output: readonly number[]): GraphSpec {
  const graph = chain(1, 1, { node: spec });
  const ends = { input: node('Input', { shape: dims(...input) }), output: node('Output', { shape: dims(...output) }) };
  return { ...graph, nodes: { ...graph.nodes, ...ends } };
}

function make(
  random: Random,
  name: string,
  spec: NodeSpec,
  input: readonly number[],
  output: readonly number[],
  settings = {},
): CaseSpec {
  const width = input.reduce((product, length) => product * length, 1);
  const graph = between(input, spec, output);
  return { name, group: spec.type, graph, manifest: text(settings), input: rows(random, STEPS, width) };
}

type Fields = Readonly<Record<string, FieldValue>>;

function withoutShape(spec: CaseSpec): CaseSpec {
  const { input_shape: _, ...fields } = (spec.graph.nodes['node'] as NodeSpec).fields!;
  const nodes = { ...spec.graph.nodes, node: node(spec.group, fields) };
  return { ...spec, graph: { ...spec.graph, nodes } };
}

/** With an input_shape, since nir 1.0.8 reads no convolution without it; files of older exporters have none. */
function convolutions(random: Random): CaseSpec[] {
  const conv = (shape: readonly number[], fields: Fields): NodeSpec => {
    const weight = {
      shape,
      values: list(
        random,
        shape.reduce((a, b) => a * b),
        -1,
        1,
      ),
    };
    const defaults = { stride: scalar(1), padding: scalar(0), dilation: scalar(1), groups: scalar(1) };
    const [type, inputShape] = shape.length === 3 ? ['Conv1d', scalar(7)] : ['Conv2d', dims(5, 4)];
    const bias = list(random, shape[0]!, -0.2, 0.2);
    return node(type, { weight, bias, ...defaults, input_shape: inputShape, ...fields });
  };
  const one = (name: string, fields: Fields, length: number, shape: readonly number[] = [3, 2, 3]): CaseSpec => {
    return make(random, `conv1d-${name}`, conv(shape, fields), [2, 7], [3, length]);
  };
  const two = (name: string, fields: Fields, height: number, width: number, shape = [2, 2, 3, 3]): CaseSpec => {
    return make(random, `conv2d-${name}`, conv(shape, fields), [2, 5, 4], [2, height, width]);
  };
  return [
    one('plain', {}, 5),
    withoutShape(one('no-input-shape', {}, 5)),
    one('stride', { stride: scalar(2) }, 3),
    one('stride-vector', { stride: dims(2) }, 3),
    one('padding', { padding: scalar(1) }, 7),
    one('padding-vector', { padding: dims(2) }, 9),
    one('same', { padding: 'same' }, 7),
    one('valid', { padding: 'valid' }, 5),
    one('dilation', { dilation: scalar(2) }, 3),
    make(random, 'conv1d-groups', conv([2, 1, 3], { groups: scalar(2) }), [2, 7], [2, 5]),
    one('wide', {}, 1, [3, 2, 7]),
    two('plain', {}, 3, 2),
    withoutShape(two('no-input-shape', {}, 3, 2)),
    two('stride', { stride: scalar(2) }, 2, 1),
    two('stride-vector', { stride: dims(2, 1) }, 2, 2),
    two('padding', { padding: scalar(1) }, 5, 4),
    two('padding-vector', { padding: dims(0, 1) }, 3, 4),
    two('same', { padding: 'same' }, 5, 4),
    two('same-even', { padding: 'same' }, 5, 4, [2, 2, 2, 2]),
    two('valid', { padding: 'valid' }, 3, 2),
    two('dilation', { dilation: scalar(2), padding: scalar(1) }, 3, 2),
    two('dilation-vector', { dilation: dims(2, 1) }, 1, 2),
    two('groups', { groups: scalar(2) }, 3, 2, [2, 1, 3, 3]),
    two('groups-vector', { groups: dims(2) }, 3, 2, [2, 1, 3, 3]),
  ];
}

function pools(random: Random): CaseSpec[] {
  const spellings: readonly (readonly [name: string, Fields, number, number])[] = [
    ['plain', { kernel_size: dims(2, 2), stride: dims(2, 2), padding: dims(0, 0) }, 2, 2],
    ['scalar', { kernel_size: scalar(2), stride: scalar(2), padding: scalar(0) }, 2, 2],
    ['overlapping', { kernel_size: dims(3, 2), stride: dims(1, 1), padding: dims(0, 0) }, 3, 3],
    ['padded', { kernel_size: dims(3, 3), stride: dims(2, 2), padding: dims(1, 1) }, 3, 2],
  ];
  return ['SumPool2d', 'AvgPool2d'].flatMap((type) =>
    spellings.map(([name, fields, height, width]) => {
      return make(random, `${type.toLowerCase()}-${name}`, node(type, fields), [2, 5, 4], [2, height, width]);
    }),
  );
}

function delays(random: Random): CaseSpec[] {
  const steps: Readonly<Record<string, number | readonly number[]>> = {
    none: [0, 0, 0, 0],
    one: [1, 1, 1, 1],
    each: [0, 1, 2, 3],
    scalar: 2,
    between: [0.4, 0.6, 1.4, 1.6],
    long: [4, 5, 6, 100],
  };
  return Object.entries(steps).map(([name, given]) => {
    const delay = typeof given === 'number' ? given * DT : given.map((value) => value * DT);
    return make(random, `delay-${name}`, node('Delay', { delay }), [WIDTH], [WIDTH]);
  });
}

function integrators(random: Random): CaseSpec[] {
  return ['dt', 'unit'].map((gain) => {
    const spec = node('I', { r: list(random, WIDTH, 0.5, 2) });
    return make(random, `i-${gain}`, spec, [WIDTH], [WIDTH], { if_gain: gain });
  });
}
