// One node of a running network: its state, its output and its step.
import type { Arena } from './arena.ts';
import { arenaBytes } from './arena.ts';
import type { SpikesKernel, WeightedKernel } from './column-kernels.ts';
import { panelsOf } from './column-kernels.ts';
import { convArenaBytes, convStep } from './conv-step.ts';
import { DelayLine } from './delay-line.ts';
import type { Interrupt } from './interrupt.ts';
import * as kernels from './kernels.ts';
import type { SpikeList } from './kernels.ts';
import type { Constants, NetworkNode } from './network.ts';
import type { NeuronField } from './neuron-kernels.ts';
import { NEURON_FIELDS } from './neuron-kernels.ts';
import {
  firesSpikes,
  hasMatrix,
  isConvolution,
  isIntegrator,
  isPassThrough,
  isSpiking,
  isStateful,
} from './node-types.ts';
import { unpackWeights } from './packed-weights.ts';
import { poolStep } from './pool-step.ts';
import type { Evaluation, Step } from './step.ts';

/** Elements between two checks of the interrupt. */
const PIECE = 1 << 16;
/** Weights added between two checks of the interrupt. */
const PIECE_OF_COLUMNS = 1 << 20;
/** Cost of an element of a neuron, in work units. */
const UNITS_A_NEURON = 4;

/** The largest finite binary32. */
const NEVER_REACHED = (2 - 2 ** -23) * 2 ** 127;

const NONE = new Float32Array(0);

/** Maximum arena memory of `new RuntimeNode`. */
export function arenaBytesOf(node: Pick<NetworkNode, 'type' | 'inputSize' | 'outputSize' | 'window'>): number {
  const { type, inputSize, outputSize } = node;
  const [input, output] = [arenaBytes(inputSize), arenaBytes(outputSize)];
  if (isConvolution(type)) return input + 2 * output + convArenaBytes(node);
  const isWeighted = hasMatrix(type);
  // Sum of sources, output and list of spikes; then columns, indices and values, or states and constants.
  return input + 2 * output + (isWeighted ? output * inputSize + 2 * input : NEURON_FIELDS.length * output);
}

export class RuntimeNode {
  readonly name: string;
  readonly y: Float32Array;
  readonly v: Float32Array;
  readonly i: Float32Array;
  /** Of a Delay. */
  readonly line: DelayLine | undefined;
  readonly isStateful: boolean;
  readonly feedsBack: boolean;
  readonly constant: boolean;
  /** For a node that emits spikes: the elements that fired. Shared, like `y`, by nodes that only pass it on. */
  readonly spikes: SpikeList | undefined;
  /** All of them emit 1. */
  readonly hasUnitSpikes: boolean;
  /** Whether they come from a neuron. */
  readonly firesSpikes: boolean;
  private readonly inputs: readonly RuntimeNode[];
  private readonly sum: Float32Array;
  private readonly step: Step;
  private readonly start: Float32Array | undefined;

  /** `inputs` may still lack nodes that are built later; only delayed edges come from those. */
  constructor(node: NetworkNode, inputs: readonly RuntimeNode[], arena: Arena) {
    this.name = node.name;
    this.inputs = inputs;
    this.constant = node.constant;
    this.feedsBack = node.feedsBack;
    this.isStateful = isStateful(node.type);
    this.firesSpikes = firesSpikes(node.type);
    this.v = this.isStateful ? arena.floats(node.outputSize) : NONE;
    this.i = node.type.startsWith('Cuba') ? arena.floats(node.outputSize) : NONE;
    this.start = node.constants.start;
    this.line = node.delays === undefined ? undefined : new DelayLine(node.delays);
    this.sum = node.sources.length > 1 ? arena.floats(node.inputSize) : NONE;

    const passes = isPassThrough(node.type) && node.sources.length === 1 && !node.delayed[0];
    if (passes) {
      // The source is evaluated before this node, and no node in between reads this one.
      this.y = inputs[0]!.y;
      this.spikes = inputs[0]!.spikes;
      this.hasUnitSpikes = inputs[0]!.hasUnitSpikes;
      this.step = () => undefined;
    } else {
      // A delayed edge carries 0 at step 0, whatever potentials start at.
      const sharesRow = isIntegrator(node.type) && this.start === undefined;
      this.y = sharesRow ? this.v : arena.floats(node.outputSize);
      this.spikes = isSpiking(node.type) ? { at: arena.ints(node.outputSize), count: 0 } : undefined;
      this.hasUnitSpikes = this.spikes !== undefined && !(this.firesSpikes && node.rule!.multiple);
      this.step = this.makeStep(node, arena);
    }
  }

  /** Resets to the start of a run. */
  clear(): void {
    if (this.start === undefined) this.v.fill(0);
    else this.v.set(this.start);
    this.i.fill(0);
    this.line?.clear();
    if (this.feedsBack) this.y.fill(0);
    if (this.spikes !== undefined) this.spikes.count = 0;
  }

  /** Sets the output of the step before the run's first, for the delayed edges from this node. */
  restoreOutput(y: Float32Array): void {
    this.y.set(y);
    if (this.spikes === undefined) return;
    let count = 0;
    for (let k = 0; k < y.length; k += 1) if (y[k] !== 0) this.spikes.at[count++] = k;
    this.spikes.count = count;
  }

  evaluate(interrupt: Interrupt, report: Evaluation): void {
    report.spikes = 0;
    report.synapticOperations = 0;
    report.finite = true;
    if (this.inputs.length === 0) return;
    const x = this.gatherInput();
    interrupt.spend(this.y.length * this.inputs.length);
    if (this.inputs.length > 1 && !kernels.isFinite32(x)) {
      report.finite = false;
      return;
    }
    this.step(x, interrupt, report);
    if (this.firesSpikes) report.spikes = this.spikeCount();
  }

  /** Spikes that it has just emitted. */
  spikeCount(): number {
    const { at, count } = this.spikes!;
    if (this.hasUnitSpikes) return count;
    let sum = 0;
    for (let n = 0; n < count; n += 1) sum += this.y[at[n]!]!;
    return sum;
  }

  private gatherInput(): Float32Array {
    if (this.inputs.length === 1) return this.inputs[0]!.y;
    this.sum.set(this.inputs[0]!.y);
    for (let n = 1; n < this.inputs.length; n += 1) kernels.add(this.sum, this.inputs[n]!.y);
    return this.sum;
  }

  private makeStep(node: NetworkNode, arena: Arena): Step {
    switch (node.type) {
      case 'Input':
      case 'Output':
      case 'Flatten':
        return (x) => this.y.set(x);
      case 'Linear':
      case 'Affine':
        return this.weightedStep(node, arena);
      case 'Conv1d':
      case 'Conv2d':
        return convStep(node, this.y, this.inputs, arena);
      case 'SumPool2d':
      case 'AvgPool2d':
        return poolStep(node, this.y);
      case 'Delay':
        return (x) => this.line!.step(x, this.y);
      case 'Scale': {
        const factor = node.constants.scale!;
        return (x, _, report) => {
          kernels.scale(this.y, factor, x);
          report.finite = kernels.isFinite32(this.y);
        };
      }
      case 'Threshold': {
        const limit = node.constants.threshold!;
        return (x) => {
          this.spikes!.count = kernels.threshold(this.y, limit, x, this.spikes!.at);
        };
      }
      case 'LIF':
      case 'LI':
      case 'IF':
      case 'I':
      case 'CubaLIF':
      case 'CubaLI':
        return this.neuronStep(node, arena);
    }
  }

  private neuronStep(node: NetworkNode, arena: Arena): Step {
    const kernel = arena.neurons(node.rule!)[node.type]!;
    const list = this.spikes;
    const addresses = new Map<NeuronField | keyof Constants, number>([
      ['v', this.v.byteOffset],
      ['i', this.i.byteOffset],
      ['y', this.y.byteOffset],
      ['spikes', list?.at.byteOffset ?? 0],
      ['lanes', arena.lanes],
    ]);
    const { weight: _, ...vectors } = node.constants; // a neuron has none
    for (const [field, values] of Object.entries(vectors)) {
      if (!NEURON_FIELDS.includes(field as NeuronField)) continue;
      const copy = arena.floats(arenaBytes(values.length) / 4);
      // The padding of the last vector never fires, even if neurons fire when they only reach their threshold.
      if (field === 'threshold') copy.fill(NEVER_REACHED);
      copy.set(values);
      addresses.set(field as keyof typeof vectors, copy.byteOffset);
    }
    const parameters = NEURON_FIELDS.map((field) => addresses.get(field) ?? 0);
    const x = NEURON_FIELDS.indexOf('x');
    const size = node.outputSize;
    return (input, interrupt, report) => {
      parameters[x] = input.byteOffset;
      let count = 0;
      for (let from = 0; from < size && count >= 0; from += PIECE) {
        const to = Math.min(size, from + PIECE);
        count = kernel(...parameters, 4 * from, 4 * to, count);
        interrupt.spend((to - from) * UNITS_A_NEURON);
      }
      report.finite = count >= 0;
      if (list !== undefined) list.count = Math.max(0, count);
      else if (this.y !== this.v) this.y.set(this.v);
    };
  }

  private weightedStep(node: NetworkNode, arena: Arena): Step {
    const { y, inputs } = this;
    const panels = layOutPanels(node, arena);
    const bias = node.constants.bias ?? new Float32Array(node.outputSize);
    const at = arena.ints(node.inputSize);
    const values = arena.floats(node.inputSize);
    const piece = Math.max(4, Math.floor(PIECE_OF_COLUMNS / node.outputSize) & ~3);
    return (x, interrupt, report) => {
      const spikes = inputs.length === 1 && inputs[0]!.hasUnitSpikes ? inputs[0]!.spikes : undefined;
      // Values are copied first, because a node in a loop may be its own source.
      const count = spikes === undefined ? kernels.gather(x, at, values) : spikes.count;
      const list = (spikes === undefined ? at : spikes.at).byteOffset;
      y.set(bias);
      for (let from = 0; from < count; from += piece) {
        const to = Math.min(count, from + piece);
        const [start, end] = [list + 4 * from, list + 4 * to];
        for (const { first, weights, weighted, spikes: ones } of panels) {
          // A spike's value is 1, and a weight times 1 is the weight.
          if (spikes !== undefined) ones(y.byteOffset + first, weights, start, end);
          else weighted(y.byteOffset + first, weights, start, end, values.byteOffset + 4 * from);
        }
        interrupt.spend((to - from) * y.length);
      }
      report.synapticOperations = count * y.length;
      report.finite = kernels.isFinite32(y);
    };
  }
}

interface LaidOutPanel {
  /** Bytes from the first output. */
  readonly first: number;
  /** Address. */
  readonly weights: number;
  readonly weighted: WeightedKernel;
  readonly spikes: SpikesKernel;
}

/** Copies the weights panel by panel; vectors beyond the last output are padded with zeros. */
function layOutPanels({ constants, inputSize, outputSize }: NetworkNode, arena: Arena): readonly LaidOutPanel[] {
  return panelsOf(arenaBytes(outputSize)).map(({ first, stride, weighted, spikes }) => {
    const [from, width] = [first / 4, stride / 4];
    const weights = arena.floats(width * inputSize);
    const to = Math.min(outputSize, from + width);
    for (let source = 0; source < inputSize; source += 1) {
      const column = source * outputSize;
      unpackWeights(constants.weight!, column + from, column + to, weights, source * width);
    }
    const { columns } = arena;
    return { first, weights: weights.byteOffset, weighted: columns[weighted]!, spikes: columns[spikes]! };
  });
}
