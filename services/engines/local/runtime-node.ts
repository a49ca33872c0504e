// One node of a running network: its state, its output and its step.
import type { Arena } from './arena.ts';
import { arenaBytes } from './arena.ts';
import { convArenaBytes, convStep } from './conv-step.ts';
import { DelayLine } from './delay-line.ts';
import type { Interrupt } from './interrupt.ts';
import * as kernels from './kernels.ts';
import type { SpikeList } from './kernels.ts';
import type { NetworkNode } from './network.ts';
import { neuronArenaBytes, neuronStep } from './neuron-step.ts';
import {
  firesSpikes,
  hasMatrix,
  isConvolution,
  isIntegrator,
  isPassThrough,
  isSpiking,
  isStateful,
} from './node-types.ts';
import { poolStep } from './pool-step.ts';
import type { Evaluation, Step } from './step.ts';
import { weightedArenaBytes, weightedStep } from './weighted-step.ts';

const NONE = new Float32Array(0);

/** Maximum arena memory of `new RuntimeNode`. */
export function arenaBytesOf(node: Pick<NetworkNode, 'type' | 'inputSize' | 'outputSize' | 'window'>): number {
  const { type, inputSize, outputSize } = node;
  const [input, output] = [arenaBytes(inputSize), arenaBytes(outputSize)];
  if (isConvolution(type)) return input + 2 * output + convArenaBytes(node);
  // Sum of sources, output and list of spikes; then what the step takes, and the states.
  const shared = input + 2 * output;
  if (hasMatrix(type)) return shared + weightedArenaBytes(inputSize, outputSize);
  return isStateful(type) ? shared + 2 * output + neuronArenaBytes(type, outputSize) : shared;
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
    if (this.start !== undefined) this.v.set(this.start);
    else if (this.isStateful) this.v.fill(0);
    if (this.i.length > 0) this.i.fill(0);
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
        return weightedStep(node, this.y, this.inputs, arena);
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
        return neuronStep(node.type, node, this, arena);
    }
  }
}
