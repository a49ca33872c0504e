// From a node's parameters (binary64, as read) to what it computes with (binary32, proto/NUMERICS.md, "A step").
import type { Manifest } from '../../config/manifest.ts';
import type { FlatNode } from './flatten.ts';
import { exponentialDecay } from './decay-factor.ts';
import { ModelError } from './model-error.ts';
import type { Constants } from './network.ts';
import { settingsOf } from './neuron-rule.ts';
import { type PackedWeights, packWeights } from './packed-weights.ts';
import type { Window } from './window.ts';

export function nodeConstants(
  node: FlatNode,
  size: number,
  window: Window | undefined,
  manifest: Manifest,
): Partial<Constants> {
  const { dt } = manifest;
  const settings = settingsOf(manifest, node.name);
  const vector = (field: string, from?: (value: number) => number): Float32Array => spread(node, field, size, from);
  const exponential = settings.decay === 'exponential';
  const perTau = (field: string): Float32Array => {
    return vector(field, exponential ? remembered((tau) => exponentialDecay(dt / tau)) : (tau) => dt / tau);
  };
  const fire = () => {
    const threshold = vector('v_threshold');
    if (settings.spikes_per_step === 'multiple') refuseNotPositive(node, 'v_threshold', threshold);
    return { threshold, reset: vector('v_reset') };
  };
  const start = (): Partial<Constants> => {
    const field = { zero: '', leak: 'v_leak', reset: 'v_reset' }[settings.v_start];
    return node.parameters.has(field) ? { start: vector(field) } : {};
  };
  const least = (): Partial<Constants> => {
    return settings.v_min === undefined ? {} : { least: shared(size).fill(settings.v_min) };
  };
  const potential = () => ({ ...start(), ...least() });
  const leaky = () => ({ leak: vector('v_leak'), resistance: vector('r') });
  const gain = () => vector('r', settings.if_gain !== 'unit' ? (r) => dt * r : undefined);
  const synapse = () => ({ synapse: perTau('tau_syn'), gain: perTau('tau_mem'), inputWeight: vector('w_in') });

  switch (node.type) {
    case 'Input':
    case 'Output':
    case 'Flatten':
    case 'SumPool2d':
    case 'AvgPool2d':
    case 'Delay':
      return {};
    case 'Conv1d':
    case 'Conv2d':
      return { weight: tapMajor(node, window!), bias: spread(node, 'bias', window!.groups * window!.groupOut) };
    case 'Linear':
      return { weight: sourceMajor(node) };
    case 'Affine':
      return { weight: sourceMajor(node), bias: vector('bias') };
    case 'Scale':
      return { scale: vector('scale') };
    case 'Threshold':
      return { threshold: vector('threshold') };
    case 'LIF':
      return { gain: perTau('tau'), ...leaky(), ...fire(), ...potential() };
    case 'LI':
      return { gain: perTau('tau'), ...leaky(), ...potential() };
    case 'I':
      return { gain: gain(), ...potential() };
    case 'IF':
      return { gain: gain(), ...fire(), ...potential() };
    case 'CubaLIF':
      return { ...synapse(), ...leaky(), ...fire(), ...potential() };
    case 'CubaLI':
      return { ...synapse(), ...leaky(), ...potential() };
  }
}

/** Rounds, after `from` in binary64 where it is given, and spreads one element over the whole node. */
function spread(node: FlatNode, field: string, size: number, from?: (value: number) => number): Float32Array {
  const { values } = node.parameters.get(field)!;
  const rounded = Float32Array.from(values, (value) => (from === undefined ? value : from(value)));
  refuseInfinite(node, field, rounded, values);
  const spreadOut = shared(size);
  if (rounded.length === 1) spreadOut.fill(rounded[0]!);
  else spreadOut.set(rounded);
  return spreadOut;
}

/** `[out, in]` turned over: a source that is not 0 then adds one contiguous column to all outputs. */
function sourceMajor(node: FlatNode): PackedWeights {
  const { shape, values } = node.parameters.get('weight')!;
  const [outputs, inputs] = [shape[0]!, shape[1]!];
  const rounded = Float32Array.from(values);
  refuseInfinite(node, 'weight', rounded, values);
  const columns = shared(values.length);
  for (let input = 0; input < inputs; input += 1) {
    const column = input * outputs;
    for (let output = 0; output < outputs; output += 1) columns[column + output] = rounded[output * inputs + input]!;
  }
  return packWeights(columns);
}

/** `[out, in / groups, kernel]` turned over: for each input channel and tap, the weights of its group's outputs. */
function tapMajor(node: FlatNode, { groups, groupIn, groupOut, rows, columns }: Window): PackedWeights {
  const { values } = node.parameters.get('weight')!;
  const rounded = Float32Array.from(values);
  refuseInfinite(node, 'weight', rounded, values);
  const kernel = rows.kernel * columns.kernel;
  const taps = shared(values.length);
  for (let out = 0; out < groups * groupOut; out += 1) {
    const lane = out % groupOut;
    const group = (out - lane) / groupOut;
    for (let tap = 0; tap < groupIn * kernel; tap += 1) {
      taps[(group * groupIn * kernel + tap) * groupOut + lane] = rounded[out * groupIn * kernel + tap]!;
    }
  }
  return packWeights(taps);
}

function refuseInfinite(node: FlatNode, field: string, rounded: Float32Array, values: Float64Array): void {
  const bad = rounded.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw ModelError.field(node.name, field, `is not finite in binary32, found ${values[bad]} at index ${bad}`);
}

/** A potential can hold any number of thresholds that are not above 0. */
function refuseNotPositive(node: FlatNode, field: string, values: Float32Array): void {
  const bad = values.findIndex((value) => !(value > 0));
  if (bad < 0) return;
  const problem = `must be > 0 with spikes_per_step: multiple, found ${values[bad]} at index ${bad}`;
  throw ModelError.field(node.name, field, problem);
}

/** Repeats the last result where the argument is the same: the elements of a node mostly share one time constant. */
function remembered(compute: (value: number) => number): (value: number) => number {
  let [last, result] = [NaN, NaN];
  return (value) => {
    if (value !== last) [last, result] = [value, compute(value)];
    return result;
  };
}

/** Memory that workers see without a copy. */
function shared(elements: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * elements));
}
