import { describe, expect, it } from '@jest/globals';
import type { GraphSpec } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import type { Recording } from '../engine.ts';
import { Interrupt } from './interrupt.ts';
import { RunRecorder } from './run-recorder.ts';
import { NonFinite, Simulator } from './simulator.ts';

const SERIES = 'dt: 1\ninput: {kind: series}';

function record(graph: GraphSpec, manifest: string, ...rows: (readonly number[])[]): Recording {
  const simulator = new Simulator(compileGraph(graph, manifest));
  const recorder = new RunRecorder(simulator);
  const memory = new Uint8Array(new ArrayBuffer(recorder.bytesFor(rows.length)));
  recorder.start(rows.length, memory);
  try {
    simulator.run(Float32Array.from(rows.flat()), rows.length, Interrupt.never(), recorder.record);
    return recorder.read(memory, rows.length, rows.length, '');
  } catch (error) {
    return recorder.read(memory, rows.length, (error as NonFinite).step, 'NON_FINITE');
  }
}

describe('a recording', () => {
  it('has one bit for each neuron and step', () => {
    const fires = node('IF', { r: 1, v_threshold: 0.5 });
    const quiet = Array<number>(10).fill(0);
    const some = quiet.map((_, k) => (k === 1 || k === 9 ? 1 : 0));
    const { nodes, steps } = record(chain(10, 10, { fires }), SERIES, quiet, some, quiet);
    expect(steps).toBe(3);
    expect(nodes.map(({ node, elements }) => [node, elements])).toEqual([['fires', 10]]);
    expect([...nodes[0]!.spikes]).toEqual([0, 0, 0b10, 0b10, 0, 0]);
  });

  it('has neurons, thresholds and the readout node, and spikes of those that spike', () => {
    const lif = node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 });
    const li = node('LI', { tau: 2, r: 1, v_leak: 0 });
    const graph = chain(2, 2, { lif, scale: node('Scale', { scale: 2 }), li, last: node('Scale', { scale: 3 }) });
    const { nodes } = record(graph, SERIES, [1, 2]);
    expect(nodes.map(({ node, spikes }) => [node, spikes.length])).toEqual([
      ['lif', 1],
      ['li', 0],
      ['last', 0],
    ]);
  });

  it('goes up to the step before the one that failed', () => {
    const li = node('LI', { tau: 1, r: 1e30, v_leak: 0 });
    const { nodes, steps, ended } = record(chain(1, 1, { li }), SERIES, [1], [2], [1e38], [0]);
    expect([steps, ended]).toEqual([2, 'NON_FINITE']);
    expect(nodes[0]!.stateChecksums).toHaveLength(2);
  });
});
