// Runs a network on one input: proto/NUMERICS.md, "A step" and "What a run returns". Memory is allocated once for the
// network; a run allocates only its answer.
import { readsSpikes } from '../../config/readout.ts';
import type { LayerActivity } from '../../core/inference.ts';
import { Arena } from './arena.ts';
import { ReadoutDigest, StateDigest } from './digest.ts';
import type { Interrupt } from './interrupt.ts';
import { isFinite32 } from './kernels.ts';
import type { Network } from './network.ts';
import type { Evaluation } from './step.ts';
import { RuntimeNode, arenaBytesOf } from './runtime-node.ts';
import { recorderArenaBytes } from './recorder-memory.ts';
import type { RunSession } from './session-state.ts';
import { NO_SESSION, NO_TOTALS, readTotals, restoreState, saveState } from './session-state.ts';
import type { StateLayout } from './state-layout.ts';
import { stateLayout } from './state-layout.ts';
import { xxh64 } from '../xxh64.ts';

/** For the whole session, if the run started with a state. */
export interface RunResult {
  readonly steps: number;
  readonly spikeCounts: Uint32Array;
  readonly potentials: Float32Array;
  readonly totalSpikes: number;
  readonly synapticOperations: number;
  readonly stateDigest: bigint;
  readonly readoutDigest: bigint;
  /** Set if they were recorded. */
  readonly layers?: readonly LayerActivity[];
  readonly readoutPerStep?: Uint8Array;
  /** Set if it was requested. */
  readonly state?: Uint8Array<ArrayBuffer>;
}

const NONE = new Float32Array(0);

/** A run produced a number that is not finite. */
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
  /** In order of evaluation; every run overwrites their contents. */
  readonly nodes: readonly RuntimeNode[];
  /** Their memory, with room for a RunRecorder. */
  readonly arena: Arena;
  readonly stateLayout: StateLayout;
  private readonly first: readonly RuntimeNode[];
  private readonly later: readonly RuntimeNode[];
  private readonly roots: readonly { readonly y: Float32Array; readonly from: number; readonly to: number }[];
  private readonly readout: RuntimeNode;
  private readonly counts: Uint32Array;
  private readonly potentials: Float32Array;
  /** The sums of `mean_potential` at the end of a run. */
  private readonly sums: Float32Array;
  private readonly stateDigest: StateDigest;
  private readonly readoutDigest: ReadoutDigest;

  constructor(network: Network) {
    this.network = network;
    const bytes = network.nodes.reduce((sum, node) => sum + arenaBytesOf(node), recorderArenaBytes(network));
    const arena = new Arena(bytes);
    this.arena = arena;
    const nodes: RuntimeNode[] = [];
    const inputsOf = network.nodes.map((): RuntimeNode[] => []);
    for (const [at, node] of network.nodes.entries()) {
      // Sources over undelayed edges exist already; those over delayed edges are added below.
      for (const source of node.sources) if (source < at) inputsOf[at]!.push(nodes[source]!);
      nodes.push(new RuntimeNode(node, inputsOf[at]!, arena));
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
    this.stateLayout = stateLayout(network);
    this.sums = new Float32Array(this.stateLayout.sums);
    this.stateDigest = new StateDigest(network.modelId, [this.counts, this.potentials, ...this.stateInOrder()]);
    this.readoutDigest = new ReadoutDigest(this.counts, this.potentials);
  }

  /**
   * `input`: one step for a constant input, else all `steps`. `onStep` is called after every successful step; the run's
   * first step is 0. Throws NonFinite and Interrupted.
   */
  run(
    input: Float32Array,
    steps: number,
    interrupt: Interrupt,
    onStep?: (step: number) => void,
    { state, returnState }: RunSession = NO_SESSION,
  ): RunResult {
    const series = this.network.inputKind === 'series';
    const width = this.network.inputSize;
    const report: Evaluation = { finite: true, spikes: 0, synapticOperations: 0 };
    const before = state.length === 0 ? NO_TOTALS : readTotals(state);
    const inputDigest = state.length > 0 || returnState ? this.inputDigest(input) : 0n;
    const isSameInput = before.steps > 0 && inputDigest === before.inputDigest;
    let { totalSpikes, synapticOperations } = before;
    this.clear();
    if (before.steps > 0) restoreState(state, this.stateLayout, this.nodes, this.counts, this.potentials);
    interrupt.look();
    for (let step = 0; step < steps; step += 1) {
      if (series || step === 0) this.takeInput(input, series ? step * width : 0);
      for (const node of step === 0 ? this.first : this.later) {
        if (step === 0 || !node.constant) {
          node.evaluate(interrupt, report);
          if (!report.finite) throw new NonFinite(step, node.name);
          totalSpikes += report.spikes;
          // The operations of the constant part are counted once per input.
          if (!node.constant || !isSameInput) synapticOperations += report.synapticOperations;
        }
        if (node === this.readout) this.observe(step, step === steps - 1);
      }
      onStep?.(step);
    }
    for (const node of this.nodes) node.line?.settle();
    const allSteps = before.steps + steps;
    if (this.network.readoutFrom === 'mean_potential') this.concludeMean(allSteps);
    const stateDigest = this.stateDigest.compute(allSteps);
    const totals = { totalSpikes, synapticOperations, inputDigest };
    return {
      steps: allSteps,
      spikeCounts: this.counts.slice(),
      potentials: this.potentials.slice(),
      totalSpikes,
      synapticOperations,
      stateDigest,
      readoutDigest: this.readoutDigest.compute(allSteps, totalSpikes, synapticOperations),
      ...(returnState ? { state: saveState(this.stateDigest.body, totals, this.sums) } : {}),
    };
  }

  /** Collects the readout after each step. */
  get readoutRow(): Float32Array {
    const { readout, network } = this;
    return readout.isStateful && !readsSpikes(network.readoutFrom) ? readout.v : readout.y;
  }

  /** A series has no constant part. */
  private inputDigest(input: Float32Array): bigint {
    if (this.network.inputKind === 'series') return 0n;
    return xxh64(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
  }

  private takeInput(input: Float32Array, at: number): void {
    for (const { y, from, to } of this.roots) y.set(input.subarray(at + from, at + to));
  }

  private clear(): void {
    for (const node of this.nodes) node.clear();
    this.counts.fill(0);
    this.potentials.fill(this.network.readoutFrom === 'max_potential' ? -Infinity : 0);
  }

  /** Records the readout node in this step. */
  private observe(step: number, isLast: boolean): void {
    const { counts, potentials, readout } = this;
    const { spikes, y } = readout;
    if (spikes !== undefined) {
      for (let n = 0; n < spikes.count; n += 1) {
        const k = spikes.at[n]!;
        counts[k] = counts[k]! + y[k]!;
      }
    }
    const p = readout.isStateful ? readout.v : readout.y;
    switch (this.network.readoutFrom) {
      case 'spike_count':
      case 'last_potential':
        if (isLast) potentials.set(p);
        return;
      case 'mean_potential':
        for (let k = 0; k < p.length; k += 1) potentials[k] = potentials[k]! + p[k]!;
        // A sum that is not finite stays so.
        if (isLast && !isFinite32(potentials)) throw new NonFinite(step, readout.name);
        return;
      case 'max_potential':
        for (let k = 0; k < p.length; k += 1) if (p[k]! > potentials[k]!) potentials[k] = p[k]!;
        return;
      case 'first_spike':
        if (spikes === undefined) return;
        for (let k = 0; k < y.length; k += 1) if (y[k] !== 0 || potentials[k] !== 0) potentials[k]! += 1;
    }
  }

  /** The sums are kept for the next run of the session. */
  private concludeMean(steps: number): void {
    this.sums.set(this.potentials);
    for (let k = 0; k < this.sums.length; k += 1) this.potentials[k] = this.sums[k]! / Math.fround(steps);
  }

  private stateInOrder(): Float32Array[] {
    return this.network.canonical.flatMap((at) => {
      const node = this.nodes[at]!;
      return [node.i, node.v, node.line?.rows ?? NONE, ...(node.feedsBack ? [node.y] : [])];
    });
  }
}
