import { describe, expect, it } from '@jest/globals';
import { npz } from '../../test/support/npz.ts';
import { writeNir } from '../../test/support/nir-writer.ts';
import { chain, node } from '../../test/support/run-network.ts';
import { parseManifest } from '../config/manifest.ts';
import { FRAMEWORKS } from '../models/frameworks.ts';
import { importModel, isAlike } from './import-model.ts';

/** The snnTorch export of a Leaky with beta 0.9; the recordings are its output for an input of 0.35 (threshold 1). */
const leaky = writeNir(chain(1, 1, { lif: node('LIF', { tau: 1e-3, r: 10, v_leak: 0, v_threshold: 1, v_reset: 0 }) }));
const STEPS = 12;
const input = Array.from({ length: STEPS }, () => [0.35]);
const from = (name: string, file = leaky, recording?: Uint8Array) => {
  return importModel(file, { framework: FRAMEWORKS[name]!, ...(recording === undefined ? {} : { recording }) });
};
/** Spikes at these steps. */
const spikes = (...steps: number[]) => Array.from({ length: STEPS }, (_, step) => [steps.includes(step) ? 1 : 0]);

describe('importModel', () => {
  it('writes a model.yaml with the settings of the framework', () => {
    expect(parseManifest(from('snntorch').manifest)).toMatchObject({
      dt: 1e-4,
      reset: 'subtract_delayed',
      input: { kind: 'series', shape: [1] },
      readout: { from: 'spike_count' },
    });
  });

  it('gives a reason for every setting', () => {
    for (const { key, why } of from('sinabs').decisions) expect([key, why]).not.toContain('');
  });

  it('uses the potential readout for a node that does not spike', () => {
    const li = writeNir(chain(1, 1, { li: node('LI', { tau: 1e-3, r: 1, v_leak: 0 }) }));
    expect(parseManifest(from('norse', li).manifest).readout.from).toBe('last_potential');
  });

  it.each([
    ['IF', { r: 500, v_threshold: 1 }],
    ['LIF', { tau: 8e-3, r: 4, v_leak: 0, v_threshold: 1 }],
    ['CubaLIF', { tau_syn: 4e-3, tau_mem: 8e-3, r: 4, w_in: 2, v_leak: 0, v_threshold: 1 }],
  ])('computes dt from r of a SpikingJelly %s', (type, fields) => {
    const file = writeNir(chain(1, 1, { neuron: node(type, fields) }));
    expect(parseManifest(from('spikingjelly', file).manifest).dt).toBe(0.002);
  });

  it('writes settings per node if layers of sinabs differ', () => {
    const lif = node('LIF', { tau: 8, r: 1, v_leak: 0, v_threshold: 1, v_reset: 0 });
    const both = writeNir(chain(1, 1, { lif, leak: node('LI', { tau: 8, r: 1, v_leak: 0 }) }));
    const { manifest, decisions } = from('sinabs', both);
    expect(parseManifest(manifest)).toMatchObject({ lif_gain: 'dt', nodes: { leak: { lif_gain: 'unit' } } });
    expect(decisions.map(({ key }) => key)).toContain('nodes.leak.lif_gain');
    expect(parseManifest(from('sinabs').manifest).nodes).toBeUndefined();
  });

  it('writes a separate reset for a CuBaLIF of Spyx beside other neurons', () => {
    const cuba = node('CubaLIF', { tau_syn: 4, tau_mem: 8, r: 1, w_in: 1, v_leak: 0, v_threshold: 1 });
    const lif = node('LIF', { tau: 8, r: 1, v_leak: 0, v_threshold: 1 });
    const mixed = parseManifest(from('spyx', writeNir(chain(1, 1, { cuba, lif }))).manifest);
    expect([mixed.reset, mixed.nodes]).toEqual(['subtract_delayed', { cuba: { reset: 'subtract' } }]);
    const alone = parseManifest(from('spyx', writeNir(chain(1, 1, { cuba }))).manifest);
    expect([alone.reset, alone.nodes]).toEqual(['subtract', undefined]);
  });

  it('computes dt from r of a Rockpool neuron', () => {
    const lif = { tau: 0.01, r: 10 * Math.exp(-0.1), v_leak: 0, v_threshold: 1 };
    expect(parseManifest(from('rockpool', writeNir(chain(1, 1, { n: node('LIF', lif) }))).manifest).dt).toBe(0.001);
  });

  it('uses the given dt', () => {
    const { manifest } = importModel(leaky, { framework: FRAMEWORKS['snntorch']!, dt: 0.5 });
    expect(parseManifest(manifest).dt).toBe(0.5);
  });
});

describe('importModel with a recording', () => {
  it('reports that the served network is equal', () => {
    const { comparison } = from('snntorch', leaky, npz({ input, output: spikes(3, 6, 10) }));
    expect([isAlike(comparison!), comparison!.equalSteps]).toEqual([true, STEPS]);
  });

  it('finds settings that the file does not contain', () => {
    // reset_mechanism="zero": the potential is 0 after each spike.
    const { comparison, manifest } = from('snntorch', leaky, npz({ input, output: spikes(3, 7, 11) }));
    expect(isAlike(comparison!)).toBe(true);
    expect(parseManifest(manifest).reset).toBe('value');
  });

  it('finds settings per layer if none fit the whole model', () => {
    // Each layer only integrates its input. The first subtracts its threshold; the second never resets.
    const hold = (threshold: number) => node('LIF', { tau: 1e9, r: 1e13, v_leak: 0, v_threshold: threshold });
    const file = writeNir(chain(1, 1, { a: hold(1), b: hold(2.5) }));
    // v of a: 0.35, 0.7, 1.05, then 0.4, 0.75, 1.1, then 0.45, 0.8, 1.15, then 0.5, …
    const output = spikes(8, 9, 10, 11);
    const { comparison, manifest } = from('snntorch', file, npz({ input, output }));
    expect(isAlike(comparison!)).toBe(true);
    expect(parseManifest(manifest).nodes).toEqual({ b: { reset: 'none' } });
  });

  it('finds a v_min that the file does not contain', () => {
    const file = writeNir(chain(1, 1, { a: node('IF', { r: 1, v_threshold: 1 }) }));
    const falling = Array.from({ length: STEPS }, (_, step) => [step < 4 ? -1 : 0.5]);
    // From −1: −0.5, 0, 0.5, 1; it spikes there and subtracts the threshold.
    const { comparison, manifest } = from('sinabs', file, npz({ input: falling, output: spikes(7, 9, 11) }));
    expect([isAlike(comparison!), parseManifest(manifest).v_min]).toEqual([true, -1]);
  });

  /** LIFNode(tau=4) of SpikingJelly, exported with dt=1e-3; the file does not contain dt. */
  const slow = writeNir(
    chain(1, 1, { lif: node('LIF', { tau: 4e-3, r: 1, v_leak: 0, v_threshold: 0.2, v_reset: 0 }) }),
  );
  // 0.35 · (1 - 0.75^n): 0.0875, 0.153, 0.202.
  const slowRun = npz({ input, output: spikes(2, 5, 8, 11) });

  it('finds a dt that the file does not contain', () => {
    const { comparison, manifest } = from('spikingjelly', slow, slowRun);
    expect([isAlike(comparison!), parseManifest(manifest).dt]).toEqual([true, 1e-3]);
  });

  it('uses only the given dt', () => {
    const options = { framework: FRAMEWORKS['spikingjelly']!, dt: 2e-3, recording: slowRun };
    const { comparison, manifest } = importModel(slow, options);
    expect([isAlike(comparison!), parseManifest(manifest).dt]).toEqual([false, 2e-3]);
  });

  it('names the first step, node and neuron that differ', () => {
    const { comparison } = from('norse', leaky, npz({ input, lif: spikes(5) }));
    expect(comparison!.difference).toMatchObject({ step: 5, node: 'lif', neuron: 0, recorded: 1, served: 0 });
  });

  it('ignores axes of length 1', () => {
    const { comparison } = from('snntorch', leaky, npz({ input: [input.flat()], output: [spikes(3, 6, 10).flat()] }));
    expect(isAlike(comparison!)).toBe(true);
  });

  it.each([
    ['there is no array "output"', { input }],
    ['there is no array "input"', { output: input }],
    ['array "output" has 5 elements, which are not 12 equal steps', { input, output: [[1, 2, 3, 4, 5]] }],
    ['array "hidden": the network has no node of this name', { input, hidden: input }],
    ['array "output" has 2 elements a step, but the node has 1', { input, output: input.map(() => [0, 0]) }],
  ])('refuses a recording with this problem: %s', (problem, arrays) => {
    expect(() => from('snntorch', leaky, npz(arrays))).toThrow(problem);
  });
});
