// Runs, and runs that a session continues, with every readout.
import { describe, expect, it } from '@jest/globals';
import type { GraphSpec, NodeSpec } from '../../../test/support/nir-writer.ts';
import { dims, matrix, writeNir } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { parseManifest } from '../../config/manifest.ts';
import { READOUTS } from '../../config/readout.ts';
import { compileNetwork } from './compile.ts';
import { Interrupt } from './interrupt.ts';
import { Simulator } from './simulator.ts';

const ROWS = [0.5, 2, 0, 1, 1, -1, 3, 0, 0.25, 2, 0, 0];
const nodes: Readonly<Record<string, NodeSpec>> = {
  a: node('Affine', { weight: matrix([1, 0.5], [-0.25, 1]), bias: [0.1, 0] }),
  cuba: node('CubaLIF', { tau_syn: 2, tau_mem: 3, r: 2, v_leak: 0.1, v_threshold: 0.5 }),
  d: node('Delay', { delay: [1, 2] }),
  l: node('LI', { tau: 2, r: 1, v_leak: 0 }),
};
const graph = chain(2, 2, nodes);
const looped: GraphSpec = { ...graph, edges: [...graph.edges, ['cuba', 'a'], ['l', 'l']] };

/** Written once, since HDF5 writes the time into a file, and so another model. */
const file = writeNir(looped);
const simulatorOf = (manifest: string) => new Simulator(compileNetwork(file, parseManifest(manifest)));

function run(simulator: Simulator, rows: readonly number[], state = new Uint8Array(0), onStep?: (n: number) => void) {
  const steps = simulator.network.inputKind === 'series' ? rows.length / 2 : simulator.network.steps;
  const session = { state, returnState: true };
  return simulator.run(Float32Array.from(rows), steps, Interrupt.never(), onStep, session);
}

describe.each(READOUTS)('a session with readout %s', (from) => {
  const series = `dt: 1\ninput: {kind: series}\nreadout: {from: ${from}}`;

  it.each(['l', 'cuba', 'a'])('gives the answer of one run, wherever it is cut, read at %s', (at) => {
    const simulator = simulatorOf(series.replace('from', `node: ${at}, from`));
    const whole = run(simulator, ROWS);
    for (let cut = 1; cut < ROWS.length / 2; cut += 1) {
      const first = run(simulator, ROWS.slice(0, 2 * cut));
      expect(run(simulator, ROWS.slice(2 * cut), first.state)).toEqual(whole);
      expect(first.steps).toBe(cut);
    }
    expect(whole.steps).toBe(ROWS.length / 2);
  });

  it('with a constant input gives the answer of one run', () => {
    const constant = (steps: number) => simulatorOf(`dt: 1\nsteps: ${steps}\nreadout: {from: ${from}}`);
    const first = run(constant(3), [1, 2]);
    const { state: _, ...second } = run(constant(4), [1, 2], first.state);
    const { state: __, ...whole } = run(constant(7), [1, 2]);
    expect(second).toEqual(whole);
  });
});

describe('a run', () => {
  const series = (from: string) => `dt: 1\ninput: {kind: series}\nreadout: {from: ${from}}`;

  it('collects the readout by its steps, from definitions', () => {
    const rowsOf = (from: (typeof READOUTS)[number]): number[][] => {
      const simulator = simulatorOf(series(from));
      const rows: number[][] = [];
      run(simulator, ROWS, undefined, () => void rows.push([...simulator.readoutRow]));
      return rows;
    };
    const rows = rowsOf('last_potential');
    const potentials = (from: string) => [...run(simulatorOf(series(from)), ROWS).potentials];
    expect(potentials('last_potential')).toEqual(rows.at(-1));
    expect(potentials('spike_count')).toEqual(rows.at(-1));
    expect(potentials('max_potential')).toEqual([0, 1].map((k) => Math.max(...rows.map((row) => row[k]!))));
    const { fround } = Math;
    const sums = [0, 1].map((k) => rows.reduce((sum, row) => fround(sum + row[k]!), 0));
    expect(potentials('mean_potential')).toEqual(sums.map((sum) => fround(sum / rows.length)));
    expect(potentials('first_spike')).toEqual([0, 0]);
  });

  it('shows the spikes of a neuron at each step where the readout reads spikes', () => {
    const fires = node('IF', { r: 1, v_threshold: 0.75 });
    const seen = (from: string): number[] => {
      const simulator = new Simulator(compileGraph(chain(1, 1, { fires }), series(from)));
      const rows: number[] = [];
      simulator.run(
        Float32Array.of(0.5, 0.5, 0.5),
        3,
        Interrupt.never(),
        () => void rows.push(simulator.readoutRow[0]!),
      );
      return rows;
    };
    expect([seen('spike_count'), seen('first_spike')]).toEqual([
      [0, 1, 0],
      [0, 1, 0],
    ]);
    expect([seen('last_potential'), seen('max_potential')]).toEqual([
      [0.5, 0, 0.5],
      [0.5, 0, 0.5],
    ]);
  });

  it('counts the time from the first spike, of several spikes as of one', () => {
    const several = node('IF', { r: 1, v_threshold: 1 });
    const manifest = `${series('first_spike')}\nspikes_per_step: multiple\nreset: subtract`;
    const simulator = new Simulator(compileGraph(chain(2, 2, { several }), manifest));
    const { potentials, spikeCounts, totalSpikes } = run(simulator, [0, 0, 3.5, 0, 0, 0, 0, 1.5]);
    expect([[...potentials], [...spikeCounts], totalSpikes]).toEqual([[3, 1], [3, 1], 4]);
  });

  it('lays out several inputs in canonical order', () => {
    const scale = (factor: number) => node('Scale', { scale: factor });
    const two: GraphSpec = {
      type: 'NIRGraph',
      nodes: {
        ...{ b: node('Input', { shape: dims(2) }), a: node('Input', { shape: dims(2) }) },
        ...{ s: scale(10), t: scale(100), out: node('Output', { shape: dims(2) }) },
      },
      edges: [
        ['a', 's'],
        ['b', 't'],
        ['s', 'out'],
        ['t', 'out'],
      ],
    };
    const simulator = new Simulator(compileGraph(two, series('last_potential')));
    const input = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const result = simulator.run(input, 2, Interrupt.never());
    expect([...result.potentials]).toEqual([5 * 10 + 7 * 100, 6 * 10 + 8 * 100]);
  });

  it('is told of each step in order, and only of those that succeed', () => {
    const big = node('Scale', { scale: 1e38 });
    const simulator = new Simulator(compileGraph(chain(2, 2, { big }), series('last_potential')));
    const steps: number[] = [];
    expect(() => run(simulator, [1, 1, 1, 1, 9, 1, 1, 1], undefined, (step) => void steps.push(step))).toThrow(
      'node "big" is not finite at step 2',
    );
    expect(steps).toEqual([0, 1]);
  });

  it('ends before its first step if it is cancelled', () => {
    const simulator = new Simulator(compileGraph(graph, series('last_potential')));
    const steps: number[] = [];
    const cancelled = new Interrupt(Int32Array.of(1), 0, Infinity);
    expect(() => simulator.run(Float32Array.from(ROWS), 6, cancelled, (step) => void steps.push(step))).toThrow(
      'CANCELLED',
    );
    expect(steps).toEqual([]);
  });

  it('ends while it runs, since its nodes count their work', () => {
    const [width, steps] = [4_096, 600];
    const spec = chain(width, width, { s: node('Scale', { scale: 1 }) });
    const wide = new Simulator(compileGraph(spec, series('last_potential')));
    const flags = Int32Array.of(0);
    let last = 0;
    const stop = (step: number): void => {
      last = step;
      flags[0] = 1;
    };
    const input = new Float32Array(width * steps);
    expect(() => wide.run(input, steps, new Interrupt(flags, 0, Infinity), stop)).toThrow('CANCELLED');
    expect(last).toBeLessThan(steps - 1);
  });

  it('returns a state only on request', () => {
    const simulator = new Simulator(compileGraph(graph, series('last_potential')));
    expect(simulator.run(Float32Array.from(ROWS), 6, Interrupt.never()).state).toBeUndefined();
  });
});
