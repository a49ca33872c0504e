// proto/NUMERICS.md, "Conventions": settings of single nodes, initial potentials, and v_min.
import { describe, expect, it } from '@jest/globals';
import type { NodeSpec } from '../../../test/support/nir-writer.ts';
import { matrix } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node, runGraph, traceNeuron } from '../../../test/support/run-network.ts';

const SERIES = 'dt: 1\ninput: {kind: series}\nif_gain: unit\nreadout: {from: last_potential}\n';

const trace = (spec: NodeSpec, settings: string, inputs: readonly number[]) =>
  traceNeuron(spec, SERIES + settings, inputs);

/** Adds its input. */
const integrate = node('IF', { r: 1, v_threshold: 2, v_reset: -1 });

describe('reset: none', () => {
  it('keeps the potential, so that the neuron fires again', () => {
    expect(trace(integrate, 'reset: none', [3, 0, -2])).toEqual([
      [3, 1],
      [3, 2],
      [1, 2],
    ]);
  });

  it('emits the same spikes one step late with emit: next_step', () => {
    expect(trace(integrate, 'reset: none\nemit: next_step', [3, 0, -2])).toEqual([
      [3, 0],
      [3, 1],
      [1, 2],
    ]);
  });
});

describe('v_min', () => {
  it('is the lower limit of the potential at the end of a step', () => {
    expect(trace(integrate, 'v_min: -0.5', [-3, 1])).toEqual([
      [-0.5, 0],
      [0.5, 0],
    ]);
  });

  it('applies after the reset and does not change the spike', () => {
    expect(trace(integrate, 'v_min: -0.5', [3])).toEqual([[-0.5, 1]]);
    expect(trace(integrate, 'reset: subtract\nv_min: 1.5', [3])).toEqual([[1.5, 1]]);
  });

  it('applies to neurons that do not fire, and to their outputs', () => {
    const graph = chain(1, 1, {
      n: node('LI', { tau: 4, r: 4, v_leak: 0 }),
      w: node('Linear', { weight: matrix([10]) }),
    });
    expect(runGraph(graph, `${SERIES}v_min: -0.5`, [-8]).potentials[0]).toBe(-5);
    expect(trace(node('I', { r: 1 }), 'v_min: 0.25', [0])).toEqual([[0.25, 0]]);
  });

  it('does not hide a potential that became infinite', () => {
    const huge = node('I', { r: 3e38 });
    expect(() => trace(huge, 'v_min: -1', [-3e38])).toThrow('node "n" is not finite at step 0');
  });

  it('does not affect the padding of the last vector', () => {
    const { totalSpikes } = runGraph(chain(1, 1, { n: integrate }), `${SERIES}v_min: 5\nreset: none`, [0], [0]);
    expect(totalSpikes).toBe(1);
  });
});

describe('v_start', () => {
  // a = 1/4, without an input.
  const lif = node('LIF', { tau: 4, r: 1, v_leak: 8, v_threshold: 9, v_reset: 4 });

  it('sets the initial potential to v_leak or v_reset', () => {
    expect(trace(lif, 'v_start: zero', [0])).toEqual([[2, 0]]);
    expect(trace(lif, 'v_start: leak', [0])).toEqual([[8, 0]]);
    expect(trace(lif, 'v_start: reset', [0])).toEqual([[5, 0]]);
  });

  it('is 0 if the node has no such parameter', () => {
    expect(trace(integrate, 'v_start: leak', [1])).toEqual([[1, 0]]);
    expect(trace(node('I', { r: 1 }), 'v_start: reset', [1])).toEqual([[1, 0]]);
  });

  it.each(['direct', 'through a Flatten'])('sends nothing over a delayed edge at step 0 (%s)', (way) => {
    // a = 1/4: 8 + (8 − 8 + 4·1)/4 = 9, then 9 + (8 − 9 + 4·(1 + 9))/4.
    const graph = chain(1, 1, { n: node('LI', { tau: 4, r: 4, v_leak: 8 }) });
    const flat = { ...graph.nodes, flat: node('Flatten', { input_type: { shape: [1], values: [1], dtype: 'int64' } }) };
    const back = way === 'direct' ? [['n', 'n'] as const] : [['n', 'flat'] as const, ['flat', 'n'] as const];
    const looped = { ...graph, nodes: way === 'direct' ? graph.nodes : flat, edges: [...graph.edges, ...back] };
    const runs = [1, 2].map((steps) => {
      const rows = Array.from({ length: steps }, () => [1]);
      return runGraph(looped, `${SERIES}v_start: leak`, ...rows).potentials[0];
    });
    expect(runs).toEqual([9, 18.75]);
  });

  it('is stored in the constants of the node', () => {
    const network = compileGraph(chain(1, 1, { n: lif }), `${SERIES}v_start: reset`);
    expect(network.nodes.find(({ name }) => name === 'n')!.constants.start).toEqual(Float32Array.of(4));
  });

  it('above the threshold causes a spike at step 0 with emit: next_step', () => {
    const above = node('IF', { r: 1, v_threshold: 2, v_reset: 3 });
    expect(trace(above, 'v_start: reset\nreset: subtract\nemit: next_step', [0])).toEqual([[1, 1]]);
  });
});

describe('nodes', () => {
  const two = chain(1, 1, { a: integrate, b: node('IF', { r: 1, v_threshold: 0.5 }) });

  it('sets the settings of single nodes', () => {
    // a fires at every step, since nothing resets it; b fires twice at every step and keeps no rest.
    const settings = `${SERIES}nodes:\n  a: {reset: none}\n  b: {reset: subtract, spikes_per_step: multiple}\n`;
    const { potentials, spikeCounts, totalSpikes } = runGraph(two, settings, [3], [0]);
    expect([potentials[0], spikeCounts[0], totalSpikes]).toEqual([0, 4, 6]);
  });

  it('keeps the settings of the model for other nodes', () => {
    const settings = `${SERIES}reset: none\nnodes: {b: {fire_at: reached}}`;
    const same = `${SERIES}reset: value\nnodes: {a: {reset: none}, b: {reset: none, fire_at: reached}}`;
    const [one, other] = [settings, same].map((text) => runGraph(two, text, [3], [-2], [0]));
    expect(one!.potentials).toEqual(other!.potentials);
    expect(one!.totalSpikes).toBe(other!.totalSpikes);
  });

  it('names nodes of nested graphs as after flattening', () => {
    const nested = chain(1, 1, { outer: chain(1, 1, { n: integrate }) });
    const run = runGraph(nested, `${SERIES}nodes: {outer/n: {reset: none}}`, [3], [0]);
    expect(run.totalSpikes).toBe(2);
  });

  it('changes the id of the model', () => {
    const settings = [
      '',
      'nodes: {a: {reset: none}}',
      'nodes: {b: {reset: none}}',
      'v_min: -1',
      'v_start: leak',
      'reset: none',
    ];
    const ids = settings.map((text) => compileGraph(two, SERIES + text).modelId);
    expect(new Set(ids).size).toBe(settings.length);
  });

  it.each([
    [
      'a name of a missing node',
      'nodes: {c: {reset: none}}',
      'model.yaml: key "nodes.c": there is no such node; those with settings are "a", "z"',
    ],
    [
      'a node that is not a neuron',
      'nodes: {input: {reset: none}}',
      'key "nodes.input": is of type Input, which has no',
    ],
    ['an unknown setting', 'nodes: {a: {dt: 1}}', 'key "nodes.a.dt": is not a setting'],
    ['a v_min beyond binary32', 'v_min: 1e39', 'key "v_min": must be a number that is finite in binary32'],
    [
      'a threshold of 0 with several spikes per step',
      'nodes: {z: {spikes_per_step: multiple}}',
      'node "z": field "v_threshold"',
    ],
  ])('refuses %s', (_, settings, message) => {
    const zero = node('IF', { r: 1, v_threshold: 0 });
    expect(() => compileGraph(chain(1, 1, { a: integrate, z: zero }), SERIES + settings)).toThrow(message);
  });
});
