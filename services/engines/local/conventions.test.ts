// proto/NUMERICS.md, "Conventions": each setting on one neuron, with values computed by hand.
import { describe, expect, it } from '@jest/globals';
import type { NodeSpec } from '../../../test/support/nir-writer.ts';
import { matrix } from '../../../test/support/nir-writer.ts';
import { chain, node, runGraph, traceNeuron } from '../../../test/support/run-network.ts';
import { exponentialDecay } from './decay-factor.ts';

const { fround } = Math;
const SERIES = 'dt: 1\ninput: {kind: series}\nreadout: {from: last_potential}\n';

const trace = (spec: NodeSpec, settings: string, inputs: readonly number[]) =>
  traceNeuron(spec, SERIES + settings, inputs);

/** Adds its input. */
const integrate = node('IF', { r: 1, v_threshold: 2, v_reset: -1 });

describe('reset', () => {
  it('subtract_delayed subtracts the threshold in the step after the spike', () => {
    const steps = trace(integrate, 'reset: subtract_delayed', [3, 0, 0, 5, 0, 0]);
    expect(steps).toEqual([
      [3, 1],
      [1, 1],
      [1, 1],
      [6, 2],
      [4, 3],
      [2, 3],
    ]);
  });

  it('value_delayed sets v_reset in the step after the spike, for any input', () => {
    expect(trace(integrate, 'reset: value_delayed', [3, 7, 4])).toEqual([
      [3, 1],
      [-1, 1],
      [3, 2],
    ]);
  });

  it('a delayed reset happens at step 0 if 0 is above the threshold', () => {
    const below = node('IF', { r: 1, v_threshold: -1 });
    expect(trace(below, 'reset: subtract_delayed', [-5])).toEqual([[-4, 0]]);
  });
});

describe('emit', () => {
  it('next_step emits a spike one step late', () => {
    expect(trace(integrate, 'reset: subtract_delayed\nemit: next_step', [3, 0, 0])).toEqual([
      [3, 0],
      [1, 1],
      [1, 1],
    ]);
  });

  it('next_step with an immediate reset resets before the update', () => {
    // a = 1/4, and 3 is added: (6 − 2)·3/4 = 3, and not 6·3/4 − 2.
    const lif = node('LIF', { tau: 4, r: 4, v_leak: 0, v_threshold: 2 });
    expect(trace(lif, 'reset: subtract\nemit: next_step', [6, 0])).toEqual([
      [6, 0],
      [3, 1],
    ]);
  });
});

describe('fire_at', () => {
  it('reached fires at the threshold', () => {
    expect(trace(integrate, 'fire_at: reached', [2])).toEqual([[-1, 1]]);
    expect(trace(integrate, 'fire_at: above', [2])).toEqual([[2, 0]]);
  });
});

describe('a node that does not fill whole vectors', () => {
  it('has no spikes in its padding, even if 0 reaches the threshold', () => {
    const rows = [[1, 0, 0]];
    const { totalSpikes } = runGraph(chain(3, 3, { n: integrate }), `${SERIES}fire_at: reached`, ...rows);
    expect(totalSpikes).toBe(0);
  });
});

describe('spikes_per_step', () => {
  it('multiple emits one spike for each threshold that v contains', () => {
    expect(trace(integrate, 'spikes_per_step: multiple\nreset: subtract\nfire_at: reached', [7, 1, -9])).toEqual([
      [1, 3],
      [0, 4],
      [-9, 4],
    ]);
  });

  it('multiple emits no spike at the threshold if fire_at is above', () => {
    expect(trace(integrate, 'spikes_per_step: multiple\nreset: subtract', [2, 2])).toEqual([
      [2, 0],
      [0, 2],
    ]);
  });

  it('multiple keeps the excess over its limit for the next step', () => {
    const steps = trace(integrate, 'spikes_per_step: multiple\nreset: subtract', [2 * 5000, 0]);
    expect(steps).toEqual([
      [2 * (5000 - 4095), 4095],
      [0, 5000],
    ]);
  });

  it('multiple weights spikes by their number and counts each of them', () => {
    const graph = chain(1, 1, { n: integrate, w: node('Linear', { weight: matrix([10]) }) });
    const settings = `${SERIES}spikes_per_step: multiple\nreset: subtract`;
    const { potentials, totalSpikes, synapticOperations } = runGraph(graph, settings, [7]);
    expect([potentials[0], totalSpikes, synapticOperations]).toEqual([30, 3, 1]);
  });

  it('multiple refuses a threshold of 0 or less', () => {
    const zero = node('IF', { r: 1, v_threshold: 0 });
    expect(() => trace(zero, 'spikes_per_step: multiple', [1])).toThrow(
      'node "n": field "v_threshold": must be > 0 with spikes_per_step: multiple, found 0 at index 0',
    );
  });
});

describe('gains', () => {
  // a = 1/4.
  const lif = node('LI', { tau: 4, r: 3, v_leak: 1 });

  it('lif_gain: dt scales r·x by dt/tau', () => {
    expect(trace(lif, 'lif_gain: dt', [8, 0])).toEqual([
      [6.25, 0],
      [4.9375, 0],
    ]);
  });

  it('lif_gain: unit adds x unchanged', () => {
    expect(trace(lif, 'lif_gain: unit', [8, 0])).toEqual([
      [8.25, 0],
      [6.4375, 0],
    ]);
  });

  it('lif_gain: decayed adds x before the decay', () => {
    expect(trace(lif, 'lif_gain: decayed', [8, 0])).toEqual([
      [6.25, 0],
      [4.9375, 0],
    ]);
    expect(trace(lif, 'lif_gain: decayed', [4])).toEqual([[3.25, 0]]);
  });

  // b = 1/2; the membrane follows the current.
  const cuba = node('CubaLI', { tau_syn: 2, tau_mem: 1, r: 1, v_leak: 0, w_in: 3 });

  it('synapse_gain sets how x enters the current', () => {
    const potentials = (settings: string) => trace(cuba, settings, [8, 0]).map(([v]) => v);
    expect(potentials('synapse_gain: dt')).toEqual([12, 6]);
    expect(potentials('synapse_gain: unit')).toEqual([8, 4]);
    expect(potentials('synapse_gain: decayed')).toEqual([4, 2]);
  });
});

describe('decay', () => {
  it('exponential uses 1 − exp(−dt/tau) instead of dt/tau', () => {
    const a = fround(exponentialDecay(1 / 3));
    expect(trace(node('LI', { tau: 3, r: 1, v_leak: 0 }), 'decay: exponential', [1])).toEqual([[a, 0]]);
    const b = fround(exponentialDecay(0.5));
    const cuba = node('CubaLI', { tau_syn: 2, tau_mem: 3, r: 1, v_leak: 0 });
    expect(trace(cuba, 'decay: exponential', [1])).toEqual([[fround(a * b), 0]]);
  });
});
