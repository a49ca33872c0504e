import { describe, expect, it } from '@jest/globals';
import type { NodeSpec } from '../../../test/support/nir-writer.ts';
import { dims, matrix } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node, runGraph } from '../../../test/support/run-network.ts';
import { Interrupt } from './interrupt.ts';
import { NonFinite, Simulator } from './simulator.ts';

const { fround } = Math;

/** dt 1, a time series, the last potential: shows one node step by step. */
const SERIES = 'dt: 1\ninput: {kind: series}\nreadout: {from: last_potential}';

/** Returns the answer of a chain of one node to a series of scalars. */
function one(spec: NodeSpec, inputs: readonly number[], manifest = SERIES) {
  const { potentials, spikeCounts, ...rest } = runGraph(chain(1, 1, { n: spec }), manifest, ...inputs.map((x) => [x]));
  return { ...rest, potential: potentials[0], spikes: spikeCounts[0] };
}

describe('a neuron', () => {
  it('LIF leaks towards v_leak and r·x', () => {
    // a = 1/4: v = 0 + 0.25·((1 − 0) + 2·3) = 1.75, then 1.75 + 0.25·((1 − 1.75) + 2·0.5) = 1.8125
    const lif = node('LIF', { tau: 4, r: 2, v_leak: 1, v_threshold: 10 });
    expect(one(lif, [3, 0.5])).toMatchObject({ potential: 1.8125, spikes: 0, totalSpikes: 0 });
  });

  it('fires only above its threshold', () => {
    const lif = node('LIF', { tau: 1, r: 1, v_leak: 0, v_threshold: 2 });
    expect(one(lif, [2])).toMatchObject({ potential: 2, spikes: 0 });
    expect(one(lif, [2.0000002384185791])).toMatchObject({ potential: 0, spikes: 1, totalSpikes: 1 });
  });

  it('is set to v_reset after a spike', () => {
    expect(one(node('LIF', { tau: 1, r: 1, v_leak: 0, v_threshold: 2, v_reset: -0.5 }), [3]).potential).toBe(-0.5);
  });

  it('subtracts its threshold after a spike with reset: subtract', () => {
    const lif = node('LIF', { tau: 1, r: 1, v_leak: 0, v_threshold: 2, v_reset: -0.5 });
    expect(one(lif, [3], `${SERIES}\nreset: subtract`).potential).toBe(1);
  });

  it('LI never fires', () => {
    expect(one(node('LI', { tau: 2, r: 1, v_leak: 0 }), [8, 8])).toMatchObject({
      potential: 6,
      spikes: 0,
      totalSpikes: 0,
    });
  });

  it('IF adds dt·r·x, or r·x with if_gain: unit', () => {
    const integrate = node('IF', { r: 4, v_threshold: 100 });
    expect(one(integrate, [1, 2], SERIES.replace('dt: 1', 'dt: 0.5')).potential).toBe(6);
    expect(one(integrate, [1, 2], `${SERIES.replace('dt: 1', 'dt: 0.5')}\nif_gain: unit`).potential).toBe(12);
  });

  it('CubaLIF updates its current first, then its membrane with the new current', () => {
    // b = 1/2, a = 1/4: i = 0.5·(3·2) = 3, v = 0.25·(2·3) = 1.5; i = 3 + 0.5·(0 − 3) = 1.5, v = 1.5 + 0.25·(−1.5 + 3) = 1.875
    const cuba = { tau_syn: 2, tau_mem: 4, r: 2, v_leak: 0, w_in: 3 };
    expect(one(node('CubaLIF', { ...cuba, v_threshold: 100 }), [2, 0]).potential).toBe(1.875);
    expect(one(node('CubaLI', cuba), [2, 0]).potential).toBe(1.875);
  });

  it('uses w_in 1 and v_reset 0 if the file has none', () => {
    const cuba = node('CubaLIF', { tau_syn: 1, tau_mem: 1, r: 1, v_leak: 0, v_threshold: 1 });
    expect(one(cuba, [0.75]).potential).toBe(0.75);
    expect(one(cuba, [5])).toMatchObject({ potential: 0, spikes: 1 });
  });

  it('rounds after every operation', () => {
    const [a, leak, r, x] = [fround(1 / 3), fround(0.1), fround(0.7), fround(0.3)];
    const expected = fround(a * fround(leak + fround(r * x)));
    expect(one(node('LI', { tau: 3, r: 0.7, v_leak: 0.1 }), [0.3]).potential).toBe(expected);
  });

  it('computes its constants from binary64 parameters', () => {
    const tau = { shape: [], values: [0.1], dtype: 'float64' } as const;
    const li = node('LI', { tau, r: 1, v_leak: 0 });
    expect(one(li, [1], SERIES.replace('dt: 1', 'dt: 0.01')).potential).toBe(fround(0.01 / 0.1));
  });

  it('accepts a parameter for each element', () => {
    const graph = chain(2, 2, { n: node('LI', { tau: [1, 2], r: 1, v_leak: 0 }) });
    expect([...runGraph(graph, SERIES, [6, 6]).potentials]).toEqual([6, 3]);
  });
});

describe('a node without state', () => {
  it('Linear adds weight columns in ascending order, rounding each product and sum', () => {
    // 1e8 + 1 is 1e8 in binary32: in any other order the 1 would remain.
    const graph = chain(3, 1, { n: node('Linear', { weight: matrix([1e8, 1, -1e8]) }) });
    expect(runGraph(graph, SERIES, [1, 1, 1]).potentials[0]).toBe(0);
  });

  it('Affine starts from its bias', () => {
    const affine = node('Affine', { weight: matrix([2, 3], [4, 5]), bias: [0.5, -1] });
    expect([...runGraph(chain(2, 2, { n: affine }), SERIES, [1, 10]).potentials]).toEqual([32.5, 53]);
  });

  it('Affine keeps a −0 of its bias for a zero input', () => {
    const affine = node('Affine', { weight: matrix([1]), bias: [-0] });
    expect(one(affine, [-0])).toMatchObject({ potential: -0, synapticOperations: 0 });
  });

  it('Scale multiplies by its scale', () => {
    expect(one(node('Scale', { scale: 0.1 }), [0.3]).potential).toBe(fround(fround(0.1) * fround(0.3)));
  });

  it('Threshold is 1 only above its threshold and adds no spikes to the total', () => {
    const threshold = node('Threshold', { threshold: 1 });
    expect(one(threshold, [1, 1.5, 2])).toMatchObject({ potential: 1, spikes: 2, totalSpikes: 0 });
    expect(one(threshold, [1]).potential).toBe(0);
  });

  it('Flatten returns its input', () => {
    const flatten = node('Flatten', { input_type: dims(2, 2) });
    expect([...runGraph(chain(4, 4, { n: flatten }), SERIES, [1, 2, 3, 4]).potentials]).toEqual([1, 2, 3, 4]);
  });

  it('computes with subnormals', () => {
    expect(one(node('Scale', { scale: 0.5 }), [1e-40]).potential).toBe(fround(fround(1e-40) * 0.5));
    expect(one(node('Linear', { weight: matrix([1e-45]) }), [1])).toMatchObject({
      potential: fround(1e-45),
      synapticOperations: 1,
    });
  });
});

describe('several sources', () => {
  it('are added in canonical order of their names', () => {
    const scale = (factor: number) => node('Scale', { scale: factor });
    const graph = {
      ...chain(1, 1, { b: scale(1) }),
      nodes: {
        ...chain(1, 1, {}).nodes,
        '10': scale(1e8),
        '9': scale(-1e8),
        // After '9' in byte order: (1e8 − 1e8) + 1, not (1 − 1e8) + 1e8.
        a: scale(1),
      },
      edges: ['10', '9', 'a'].flatMap((name) => [['input', name] as const, [name, 'output'] as const]),
    };
    expect(runGraph(graph, SERIES, [1]).potentials[0]).toBe(1);
  });
});

describe('a run', () => {
  const lif = node('LIF', { tau: 1, r: 1, v_leak: 0, v_threshold: 1 });

  it('starts from the initial state after other runs', () => {
    const network = compileGraph(chain(1, 1, { n: lif }), 'dt: 1\nsteps: 3');
    const simulator = new Simulator(network);
    const first = simulator.run(Float32Array.of(0.9), 3, Interrupt.never());
    simulator.run(Float32Array.of(7), 3, Interrupt.never());
    expect(simulator.run(Float32Array.of(0.9), 3, Interrupt.never())).toEqual(first);
  });

  it('counts the operations of the constant part once, others at every step', () => {
    const weight = (value: number) => node('Linear', { weight: matrix([value], [value]) });
    const narrow = node('Linear', { weight: matrix([1, 1]) });
    const graph = chain(1, 1, { first: weight(2), lif, second: narrow });
    // The constant node once: 1 source × 2 outputs. Then 4 steps × 2 spikes × 1 output.
    expect(runGraph(graph, 'dt: 1\nsteps: 4', [3])).toMatchObject({ synapticOperations: 2 + 8, totalSpikes: 8 });
  });

  it('counts the operations of a time series at every step', () => {
    const graph = chain(1, 1, { n: node('Linear', { weight: matrix([1]) }) });
    expect(runGraph(graph, SERIES, [3], [0], [3]).synapticOperations).toBe(2);
  });

  it('returns the mean potential of all steps', () => {
    const manifest = 'dt: 1\ninput: {kind: series}\nreadout: {from: mean_potential}';
    expect(one(node('Scale', { scale: 1 }), [1, 2, 6], manifest).potential).toBe(3);
  });

  it('returns the mean potential of a constant readout', () => {
    const graph = chain(1, 1, { n: node('Threshold', { threshold: 0 }) });
    const run = runGraph(graph, 'dt: 1\nsteps: 5\nreadout: {from: mean_potential}', [2]);
    expect([run.potentials[0], run.spikeCounts[0]]).toEqual([1, 5]);
  });

  it('returns the largest potential of all steps, even if all are negative', () => {
    const manifest = 'dt: 1\ninput: {kind: series}\nreadout: {from: max_potential}';
    expect(one(node('Scale', { scale: 1 }), [-3, -1, -2], manifest).potential).toBe(-1);
  });

  it('returns a larger value for an earlier first spike, and 0 for none', () => {
    const manifest = 'dt: 1\ninput: {kind: series}\nreadout: {from: first_spike}';
    const graph = chain(3, 3, { n: node('Threshold', { threshold: [0, 0, 0] }) });
    const run = runGraph(graph, manifest, [0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]);
    expect([[...run.potentials], [...run.spikeCounts]]).toEqual([
      [3, 4, 0],
      [2, 2, 0],
    ]);
  });

  it('returns no first spike for a readout that does not fire', () => {
    const manifest = 'dt: 1\ninput: {kind: series}\nreadout: {from: first_spike}';
    expect(one(node('Scale', { scale: 1 }), [5, 5], manifest).potential).toBe(0);
  });

  it('has different digests for different states with the same answer', () => {
    const hidden = { li: node('LI', { tau: 2, r: 1, v_leak: 0 }), end: node('Threshold', { threshold: 100 }) };
    const [a, b] = [1, 2].map((x) => runGraph(chain(1, 1, hidden), SERIES, [x]));
    expect([a!.potentials, a!.spikeCounts]).toEqual([b!.potentials, b!.spikeCounts]);
    expect(a!.stateDigest).not.toBe(b!.stateDigest);
  });
});

describe('a run with a value that is not finite', () => {
  function failure(run: () => unknown): unknown {
    try {
      return run();
    } catch (error) {
      return error instanceof NonFinite ? [error.step, error.node] : error;
    }
  }
  const big = node('Scale', { scale: 1e38 });

  it('fails with the first step and node', () => {
    expect(failure(() => one(big, [1, 2, 10]))).toEqual([2, 'n']);
  });

  it('fails at a sum of sources', () => {
    const pass = node('Scale', { scale: 1 });
    const graph = {
      ...chain(1, 1, { a: pass, b: pass }),
      edges: ['a', 'b'].flatMap((name) => [['input', name] as const, [name, 'output'] as const]),
    };
    expect(failure(() => runGraph(graph, SERIES, [3e38]))).toEqual([0, 'output']);
  });

  it('fails at a membrane, even if a reset would make it finite', () => {
    const lif = node('LIF', { tau: 1, r: 1e38, v_leak: 0, v_threshold: 1 });
    expect(failure(() => one(lif, [10]))).toEqual([0, 'n']);
  });

  it('fails at a membrane, even if a subtraction would make it finite', () => {
    const lif = node('LIF', { tau: 1, r: 1, v_leak: 0, v_threshold: -3e38 });
    expect(failure(() => one(lif, [3e38], `${SERIES}\nreset: subtract`))).toEqual([0, 'n']);
  });

  it.each([10, -10])('fails at an infinite membrane with reset: subtract, input %d', (x) => {
    const lif = node('LIF', { tau: 1, r: 1e38, v_leak: 0, v_threshold: 1 });
    expect(
      failure(() =>
        one(
          lif,
          [x],
          `${SERIES}
reset: subtract`,
        ),
      ),
    ).toEqual([0, 'n']);
  });

  it('fails at a synaptic current, even if the membrane stays finite', () => {
    const cuba = node('CubaLI', { tau_syn: 1, tau_mem: 1, r: 0, v_leak: 0, w_in: 1e38 });
    expect(failure(() => one(cuba, [10]))).toEqual([0, 'n']);
  });

  it('fails at the sum of the mean, at the last step of the readout', () => {
    const manifest = 'dt: 1\ninput: {kind: series}\nreadout: {from: mean_potential}';
    expect(failure(() => one(node('Scale', { scale: 1 }), [3e38, 3e38, 0], manifest))).toEqual([2, 'n']);
  });
});
