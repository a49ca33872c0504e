// A convolution or a pool over an input of a shape, compiled without a file.
import { parseManifest } from '../../services/config/manifest.ts';
import { nodeConstants } from '../../services/engines/local/constants.ts';
import type { FlatNode } from '../../services/engines/local/flatten.ts';
import type { NetworkNode } from '../../services/engines/local/network.ts';
import type { NodeType } from '../../services/engines/local/node-types.ts';
import { elementsOf, outputShape, windowOf } from '../../services/engines/local/window.ts';

/** `weight` has the shape `[out, in / groups, kernel]`. */
export interface WindowFields {
  readonly integers: Readonly<Record<string, readonly number[]>>;
  readonly weight?: { readonly shape: readonly number[]; readonly values: Float32Array };
  readonly bias?: Float32Array;
}

export function flatWindow(type: NodeType, { integers, weight, bias }: WindowFields): FlatNode {
  const parameters = new Map<string, { readonly shape: readonly number[]; readonly values: Float64Array }>();
  if (weight !== undefined) parameters.set('weight', { ...weight, values: Float64Array.from(weight.values) });
  if (bias !== undefined) parameters.set('bias', { shape: [bias.length], values: Float64Array.from(bias) });
  return { name: 'n', type, parameters, integers: new Map(Object.entries(integers)), sources: [0] };
}

export function windowNode(type: NodeType, input: readonly number[], fields: WindowFields): NetworkNode {
  const flat = flatWindow(type, fields);
  const window = windowOf(flat, input);
  const outputSize = elementsOf(outputShape(flat, window));
  return {
    ...{ name: 'n', type, inputSize: elementsOf(input), outputSize, sources: [0], delayed: [false], window },
    ...{ constant: false, feedsBack: false, rule: undefined, delays: undefined },
    constants: nodeConstants(flat, outputSize, window, parseManifest('dt: 1\nsteps: 1')),
  };
}
