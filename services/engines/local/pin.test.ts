import { describe, expect, it } from '@jest/globals';
import { dims, matrix } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { pinOf } from './pin.ts';

const fires = node('IF', { r: 1, v_threshold: 1 });
const version = { name: 'm', version: 3 };

describe('pinOf', () => {
  it('has the sizes, layers and limits of a network', () => {
    const graph = chain(3, 2, {
      a: node('Affine', { weight: matrix([1, 2, 3], [4, 5, 6]), bias: [1, 2] }),
      b: fires,
      t: node('Threshold', { threshold: 0 }),
      c: node('Linear', { weight: matrix([1, 0], [0, 1]) }),
      d: fires,
    });
    const network = compileGraph(graph, 'dt: 1\nsteps: 4');
    expect(pinOf(version, network)).toEqual({
      ...{ name: 'm', version: 3, modelId: network.modelId, inputKind: 'constant', steps: 4, error: '' },
      ...{ inputSize: 3, outputSize: 2, countsSpikes: true, spikesPerNeuron: 1, spikesPerStep: 2 + 2 },
      operationsPerStep: 3 * 2 + 2 * 2,
      layers: [
        { node: 'b', neurons: 2 },
        { node: 'd', neurons: 2 },
      ],
      ...{ nodes: 7, parameters: 6 + 2 + 4 + 1 + 2 * 2 },
    });
  });

  it('counts several spikes of a neuron', () => {
    const settings = 'dt: 1\ninput: {kind: series}\nspikes_per_step: multiple\nreset: subtract';
    expect(pinOf(version, compileGraph(chain(2, 2, { fires }), settings))).toMatchObject({
      ...{ inputKind: 'series', spikesPerNeuron: 4095, spikesPerStep: 2 * 4095, operationsPerStep: 0 },
    });
  });

  it('counts no spikes of a readout that does not fire', () => {
    const network = compileGraph(chain(2, 2, { fires, s: node('Scale', { scale: 1 }) }), 'dt: 1');
    expect(pinOf(version, network).countsSpikes).toBe(false);
  });

  it('counts the taps of a convolution, and none of a pool', () => {
    const one = dims(1);
    const conv = node('Conv2d', {
      weight: { shape: [2, 3, 2, 2], values: Array<number>(24).fill(1) },
      ...{ bias: [0], stride: one, padding: 'valid', dilation: one, groups: one },
    });
    const pool = node('SumPool2d', { kernel_size: dims(2), stride: one, padding: { ...one, values: [0] } });
    const graph = chain(1, 1, { conv, pool });
    const ends = { input: node('Input', { shape: dims(3, 4, 4) }), output: node('Output', { shape: dims(2, 2, 2) }) };
    const network = compileGraph({ ...graph, nodes: { ...graph.nodes, ...ends } }, 'dt: 1');
    expect(pinOf(version, network).operationsPerStep).toBe(2 * 3 * 3 * (3 * 2 * 2));
  });
});
