import { describe, expect, it } from '@jest/globals';
import * as types from './node-types.ts';

/** The fields in a file: names, with what may be absent and the limits of whole numbers. */
function fieldsOf(type: types.NodeType): string[] {
  return types.fieldsOf(type).map((field) => {
    const marks = [
      ...(field.absent === undefined ? [] : [`or ${field.absent}`]),
      ...(field.positive === true ? ['> 0'] : []),
      ...(field.notNegative === true ? ['>= 0'] : []),
      ...(types.isIntegerField(field) ? [`${field.count} of ${field.min} to ${field.max}`] : []),
      ...(types.isIntegerField(field) && field.optional === true ? ['optional'] : []),
      ...(types.isIntegerField(field) && field.maySame === true ? ['or text'] : []),
    ];
    return [`${field.name}:`, field.kind, ...marks].join(' ');
  });
}

const size = (count: number) => `integers ${count} of 1 to 1048576`;
const convolution = (axes: number) => [
  'weight: weight',
  'bias: vector',
  `input_shape: ${size(axes)} optional`,
  `stride: ${size(axes)}`,
  `padding: integers ${axes} of 0 to 1048576 or text`,
  `dilation: ${size(axes)}`,
  `groups: ${size(1)}`,
];
const pool = [`kernel_size: ${size(2)}`, `stride: ${size(2)}`, 'padding: integers 2 of 0 to 1048576'];
const shape = [`shape: ${size(0)}`];
const leaky = ['tau: vector > 0', 'r: vector', 'v_leak: vector'];
const synapse = ['tau_syn: vector > 0', 'tau_mem: vector > 0', 'r: vector', 'w_in: vector or 1', 'v_leak: vector'];
const firing = ['v_threshold: vector', 'v_reset: vector or 0'];

describe('the fields of', () => {
  it.each<[types.NodeType, readonly string[]]>([
    ['Input', shape],
    ['Output', shape],
    [
      'Flatten',
      [
        `input_type: ${size(0)} optional`,
        'start_dim: integers 1 of -32 to 32 optional',
        'end_dim: integers 1 of -32 to 32 optional',
      ],
    ],
    ['Linear', ['weight: weight']],
    ['Affine', ['weight: weight', 'bias: vector']],
    ['Conv1d', convolution(1)],
    ['Conv2d', convolution(2)],
    ['SumPool2d', pool],
    ['AvgPool2d', pool],
    ['Delay', ['delay: vector >= 0']],
    ['I', ['r: vector']],
    ['Scale', ['scale: vector']],
    ['Threshold', ['threshold: vector']],
    ['LIF', [...leaky, ...firing]],
    ['LI', leaky],
    ['IF', ['r: vector', ...firing]],
    ['CubaLIF', [...synapse, ...firing]],
    ['CubaLI', synapse],
  ])('%s', (type, expected) => {
    expect(fieldsOf(type)).toEqual(expected);
  });
});

const ALL: readonly types.NodeType[] = [
  ...(['Input', 'Output', 'Flatten', 'Linear', 'Affine', 'Conv1d', 'Conv2d', 'SumPool2d', 'AvgPool2d'] as const),
  ...(['Delay', 'I', 'Scale', 'Threshold', 'LIF', 'LI', 'IF', 'CubaLIF', 'CubaLI'] as const),
];

describe('the types of nodes', () => {
  it.each<[string, (type: types.NodeType) => boolean, readonly types.NodeType[]]>([
    ['pass their input on', types.isPassThrough, ['Input', 'Output', 'Flatten']],
    ['have a matrix', types.hasMatrix, ['Linear', 'Affine']],
    ['are convolutions', types.isConvolution, ['Conv1d', 'Conv2d']],
    ['have a window', types.hasWindow, ['Conv1d', 'Conv2d', 'SumPool2d', 'AvgPool2d']],
    ['have a potential', types.isStateful, ['I', 'LIF', 'LI', 'IF', 'CubaLIF', 'CubaLI']],
    ['can change', types.canChange, ['Delay', 'I', 'LIF', 'LI', 'IF', 'CubaLIF', 'CubaLI']],
    ['put out their potential', types.isIntegrator, ['I', 'LI', 'CubaLI']],
    ['are neurons that fire', types.firesSpikes, ['LIF', 'IF', 'CubaLIF']],
    ['put out 0 and 1', types.isSpiking, ['Threshold', 'LIF', 'IF', 'CubaLIF']],
  ])('that %s', (_, is, expected) => {
    expect(ALL.filter(is)).toEqual(expected);
  });

  it('have weights of these numbers of dimensions', () => {
    const ranks = ALL.map((type) => [type, types.rankOfWeight(type)] as const).filter(([, rank]) => rank > 0);
    expect(Object.fromEntries(ranks)).toEqual({ Linear: 2, Affine: 2, Conv1d: 3, Conv2d: 4 });
  });

  it('are known by their names', () => {
    expect(ALL.every(types.isNodeType)).toBe(true);
    expect(['NIRGraph', 'toString', '', 'lif'].some(types.isNodeType)).toBe(false);
  });
});
