// Runs a network on one input: proto/NUMERICS.md, "A step" and "What a run returns". Memory is taken once, when the
// network arrives; a run allocates nothing but its answer.
import { readsSpikes } from '../../config/manifest.ts';
import type { LayerActivity } from '../../core/inference.ts';
import { Arena } from './arena.ts';
import { ReadoutDigest, StateDigest } from './digest.ts';
import type { Interrupt } from './interrupt.ts';
import type { Network } from './network.ts';
import type { Evaluation } from './step.ts';
import { RuntimeNode, arenaBytesOf } from './runtime-node.ts';
import { recorderArenaBytes } from './recorder-memory.ts';

export interface RunResult {
  readonly steps: number;
  readonly spikeCounts: Uint32Array;
  readonly potentials: Float32Array;
  readonly totalSpikes: number;
  readonly synapticOperations: number;
  readonly stateDigest: bigint;
  readonly readoutDigest: bigint;
  /** Where they were recorded. */
  readonly layers?: readonly LayerActivity[];
  readonly readoutPerStep?: Uint8Array;
}

const NONE = new Float32Array(0);

/** A run that left the finite numbers. */
export class NonFinite extends Error {
  readonly step: number;
  readonly node: string;

  constructor(step: number, node: string) {
    super(`node "${node}" is not finite at step ${step}`);
    this.step = step;
    this.node = node;
  }
}

export class Simulator {
  readonly network: Network;
  /** In order of evaluation; what they hold is overwritten by every run. */
  readonly nodes: readonly RuntimeNode[];
  /** Where they hold it, with room for a RunRecorder. */
  readonly arena: Arena;
  private readonly first: readonly RuntimeNode[];
  private readonly later: readonly RuntimeNode[];
  private readonly roots: readonly { readonly y: Float32Array; readonly from: number; readonly to: number }[];
  private readonly readout: RuntimeNode;
  private readonly counts: Uint32Array;
  private readonly potentials: Float32Array;
  private readonly stateDigest: StateDigest;
  private readonly readoutDigest: ReadoutDigest;

  constructor(network: Network) {
    this.network = network;
    const bytes = network.nodes.reduce((sum, node) => sum + arenaBytesOf(node), recorderArenaBytes(network));
    const arena = new Arena(bytes, network.neuronRule);
    this.arena = arena;
    const nodes: RuntimeNode[] = [];
    const inputsOf = network.nodes.map((): RuntimeNode[] => []);
    for (const [at, node] of network.nodes.entries()) {
      // Sources over undelayed edges are there already; those over delayed ones join below.
      for (const source of node.sources) if (source < at) inputsOf[at]!.push(nodes[source]!);
      nodes.push(new RuntimeNode(node, inputsOf[at]!, network.neuronRule, arena));
    }
    for (const [at, node] of network.nodes.entries()) {
      inputsOf[at]!.splice(0, Infinity, ...node.sources.map((source) => nodes[source]!));
    }
    this.nodes = nodes;
    this.roots = network.inputs.map(({ node, from, to }) => ({ y: nodes[node]!.y, from, to }));
    this.readout = nodes[network.readout]!;
    this.first = nodes;
    this.later = nodes.filter((node) => !node.constant || node === this.readout);
    this.counts = new Uint32Array(this.readout.y.length);
    this.potentials = new Float32Array(this.readout.y.length);
    this.stateDigest = new StateDigest(network.modelId, [this.counts, this.potentials, ...this.stateInOrder()]);
    this.readoutDigest = new ReadoutDigest(this.counts, this.potentials);
  }

  /**
   * `input`: one step for a constant input, else all `steps`. `onStep` hears of every step that has ended well. Throws
   * NonFinite and Interrupted.
   */
  run(input: Float32Array, steps: number, interrupt: Interrupt, onStep?: (step: number) => void): RunResult {
    const series = this.network.inputKind === 'series';
    const width = this.network.inputSize;
    const report: Evaluation = { finite: true, spikes: 0, synapticOperations: 0 };
    let totalSpikes = 0;
    let synapticOperations = 0;
    this.clear();
    interrupt.look();
    for (let step = 0; step < steps; step += 1) {
      if (series || step === 0) this.takeInput(input, series ? step * width : 0);
      for (const node of step === 0 ? this.first : this.later) {
        if (step === 0 || !node.constant) {
          node.evaluate(interrupt, report);
          if (!report.finite) throw new NonFinite(step, node.name);
          totalSpikes += report.spikes;
          synapticOperations += report.synapticOperations;
        }
        if (node === this.readout) this.observe(step, steps);
      }
      onStep?.(step);
    }
    for (const node of this.nodes) node.line?.settle();
    return {
      steps,
      spikeCounts: this.counts.slice(),
      potentials: this.potentials.slice(),
      totalSpikes,
      synapticOperations,
      stateDigest: this.stateDigest.compute(steps),
      readoutDigest: this.readoutDigest.compute(steps, totalSpikes, synapticOperations),
    };
  }

  /** What the readout is made of, after each step. */
  get readoutRow(): Float32Array {
    const { readout, network } = this;
    return readout.isStateful && !readsSpikes(network.readoutFrom) ? readout.v : readout.y;
  }

  private takeInput(input: Float32Array, at: number): void {
    for (const { y, from, to } of this.roots) y.set(input.subarray(at + from, at + to));
  }

  private clear(): void {
    for (const node of this.nodes) node.clear();
    this.counts.fill(0);
    this.potentials.fill(this.network.readoutFrom === 'max_potential' ? -Infinity : 0);
  }

  /** Takes down what the readout node did in this step. */
  private observe(step: number, steps: number): void {
    const { counts, potentials, readout } = this;
    const { spikes, y } = readout;
    if (spikes !== undefined) {
      for (let n = 0; n < spikes.count; n += 1) {
        const k = spikes.at[n]!;
        counts[k] = counts[k]! + y[k]!;
      }
    }
    const p = readout.isStateful ? readout.v : readout.y;
    const isLast = step === steps - 1;
    switch (this.network.readoutFrom) {
      case 'spike_count':
      case 'last_potential':
        if (isLast) potentials.set(p);
        return;
      case 'mean_potential': {
        let check = 0;
        for (let k = 0; k < p.length; k += 1) {
          const m = Math.fround(potentials[k]! + p[k]!);
          check += m - m;
          potentials[k] = isLast ? m / Math.fround(steps) : m;
        }
        if (isLast && check !== 0) throw new NonFinite(step, readout.name);
        return;
      }
      case 'max_potential':
        for (let k = 0; k < p.length; k += 1) if (p[k]! > potentials[k]!) potentials[k] = p[k]!;
        return;
      case 'first_spike':
        if (spikes === undefined) return;
        for (let k = 0; k < y.length; k += 1) if (y[k] !== 0 || potentials[k] !== 0) potentials[k]! += 1;
    }
  }

  private stateInOrder(): Float32Array[] {
    return this.network.canonical.flatMap((at) => {
      const node = this.nodes[at]!;
      return [node.i, node.v, node.line?.rows ?? NONE, ...(node.feedsBack ? [node.y] : [])];
    });
  }
}
