// Random convolutions and pools over a small picture, in every spelling that exporters use.
import type { FieldValue, NodeSpec } from '../support/nir-writer.ts';
import { dims } from '../support/nir-writer.ts';
import type { Random } from './random.ts';
import type { Temper } from './random-values.ts';
import { wild } from './random-values.ts';

interface WindowNode {
  readonly name: string;
  readonly kind: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly spec: NodeSpec;
}

/** The first nodes of a network, over an input of that shape. */
export interface Picture {
  readonly shape: readonly number[];
  readonly nodes: readonly WindowNode[];
}

const MAX_ELEMENTS = 500;

export function randomPicture(random: Random, temper: Temper): Picture {
  const isRow = random.chance(0.3);
  let shape = [random.integer(1, 4), random.integer(1, 8), ...(isRow ? [] : [random.integer(1, 7)])];
  const first = random.chance(0.2) ? [1, ...shape] : shape;
  const nodes: WindowNode[] = [];
  const wanted = random.integer(1, 3);
  for (let tries = 0; tries < 12 && nodes.length < wanted; tries += 1) {
    const made = isRow || random.chance(0.65) ? convolution(random, temper, shape) : pool(random, shape);
    const elements = size(made.shape);
    if (!made.shape.every((length) => length > 0) || elements > MAX_ELEMENTS) continue;
    nodes.push({
      name: `p${nodes.length}`,
      kind: made.spec.type,
      inputs: size(shape),
      outputs: elements,
      spec: made.spec,
    });
    shape = made.shape;
  }
  return { shape: first, nodes };
}

interface Made {
  readonly spec: NodeSpec;
  /** Of its output; a length below 1 where it does not fit. */
  readonly shape: number[];
}

function pool(random: Random, [channels, ...lengths]: readonly number[]): Made {
  const kernel = random.list(2, () => random.integer(1, 3));
  const stride = random.list(2, () => random.integer(1, 3));
  const padding = random.list(2, () => random.integer(0, 2));
  const fields = {
    kernel_size: numbers(random, kernel),
    stride: numbers(random, stride),
    padding: numbers(random, padding),
  };
  const out = lengths.map((length, axis) => outputs(length, kernel[axis]!, stride[axis]!, padding[axis]!, 1));
  return { spec: { type: random.pick(['SumPool2d', 'AvgPool2d']), fields }, shape: [channels!, ...out] };
}

function convolution(random: Random, temper: Temper, [channels, ...lengths]: readonly number[]): Made {
  const axes = lengths.length;
  const groups = random.pick([1, 2, 3, 4].filter((count) => channels! % count === 0));
  const outChannels = groups * random.pick([1, 2, 3, 5, groups === 1 ? 18 : 4]);
  const kernel = random.list(axes, () => random.integer(1, 4));
  const isSame = random.chance(0.25);
  const each = (low: number, high: number): number[] => random.list(axes, () => random.integer(low, high));
  const stride = isSame ? each(1, 1) : each(1, 3);
  const padding = isSame || random.chance(0.3) ? each(0, 0) : each(0, 3);
  const dilation = each(1, 3);
  const shape = [outChannels, channels! / groups, ...kernel];
  const reach = random.chance(0.03) ? 2e38 : random.pick([0.2, 0.7, 1.5]);
  const weight = (): number => (random.chance(0.1) ? -0 : wild(random, temper, () => random.between(-reach, reach)));
  const bias = random.list(outChannels, () => (random.chance(0.2) ? -0 : random.between(-0.2, 0.4)));
  const word = padding.every((length) => length === 0) && random.chance(0.5) ? 'valid' : undefined;
  const fields = {
    weight: { shape: random.chance(0.1) ? [1, ...shape] : shape, values: random.list(size(shape), weight) },
    bias,
    stride: numbers(random, stride),
    padding: isSame ? 'same' : (word ?? numbers(random, padding)),
    dilation: numbers(random, dilation),
    groups: random.chance(0.8) ? scalar(groups) : dims(groups),
    ...(random.chance(0.5) ? { input_shape: numbers(random, lengths) } : {}),
  };
  const out = lengths.map((length, axis) => {
    return isSame ? length : outputs(length, kernel[axis]!, stride[axis]!, padding[axis]!, dilation[axis]!);
  });
  return { spec: { type: axes === 1 ? 'Conv1d' : 'Conv2d', fields }, shape: [outChannels, ...out] };
}

function outputs(length: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((length + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** A list, or one number where it stands for all. */
function numbers(random: Random, values: readonly number[]): FieldValue {
  const isOne = values.every((value) => value === values[0]);
  return isOne && random.chance(0.5) ? scalar(values[0]!) : dims(...values);
}

function scalar(value: number): FieldValue {
  return { shape: [], values: [value], dtype: 'int64' };
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
