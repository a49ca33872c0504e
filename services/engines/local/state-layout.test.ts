import { describe, expect, it } from '@jest/globals';
import type { GraphSpec } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { Arena } from './arena.ts';
import { recorderArenaBytes, wordsOf } from './recorder-memory.ts';
import { RunRecorder } from './run-recorder.ts';
import { RuntimeNode, arenaBytesOf } from './runtime-node.ts';
import { Simulator } from './simulator.ts';
import { stateLayout } from './state-layout.ts';

const graph = chain(3, 3, {
  cuba: node('CubaLIF', { tau_syn: 2, tau_mem: 2, r: 1, v_leak: 0, v_threshold: 1 }),
  d: node('Delay', { delay: [1, 4, 0] }),
  li: node('LI', { tau: 2, r: 1, v_leak: 0 }),
});
const looped: GraphSpec = { ...graph, edges: [...graph.edges, ['li', 'cuba']] };
const layoutFor = (from: string) => {
  return stateLayout(compileGraph(looped, `dt: 1\ninput: {kind: series}\nreadout: {from: ${from}}`));
};

describe('stateLayout', () => {
  it('has the parts of each node in canonical order', () => {
    const { parts, outputs, bodyBytes, bytes } = layoutFor('last_potential');
    const none = { current: 0, potential: 0, delayed: 0, output: 0 };
    expect(parts.map(({ node: _, ...sizes }) => sizes)).toEqual([
      { ...none, current: 3, potential: 3 },
      { ...none, delayed: 12 },
      none,
      { ...none, potential: 3, output: 3 },
      none,
    ]);
    // The model id and the steps; counts and potentials of the readout; the parts.
    expect([outputs, bodyBytes, bytes]).toEqual([3, 12 + 4 * (6 + 24), 32 + 12 + 4 * (6 + 24) + 8]);
  });

  it.each([
    ['spike_count', 0, false],
    ['last_potential', 0, false],
    ['mean_potential', 3, false],
    ['max_potential', 0, true],
    ['first_spike', 0, true],
  ])('of readout %s has %d sums', (from, sums, resumesPotentials) => {
    const { bytes } = layoutFor('last_potential');
    expect(layoutFor(from)).toMatchObject({ sums, resumesPotentials, bytes: bytes + 4 * sums });
  });
});

describe('the arena', () => {
  it.each([
    [0, false, 1],
    [9, false, 1],
    [1, true, 2],
    [32, true, 2],
    [33, true, 3],
  ])('holds for %d elements, spikes %p, %d words of a recording', (elements, spikes, words) => {
    expect(wordsOf(elements, spikes)).toBe(words);
  });

  it.each(['LIF', 'CubaLIF', 'CubaLI', 'I', 'Linear', 'Scale'])('has room for a node of type %s', (type) => {
    const all = { ...{ tau: 2, tau_syn: 2, tau_mem: 2, r: 1, v_leak: 0, v_threshold: 1 } };
    const weight = { shape: [45, 45], values: Array<number>(45 * 45).fill(1) };
    const spec = node(type, { ...all, weight, scale: 1 });
    const twice: GraphSpec = { ...chain(45, 45, { n: spec }) };
    const edges = [...twice.edges, ['input', 'output'], ['n', 'n']] as const;
    const network = compileGraph({ ...twice, edges }, 'dt: 1\ninput: {kind: series}');
    const made = network.nodes.find(({ name }) => name === 'n')!;
    const bytes = arenaBytesOf(made);
    const arena = new Arena(bytes);
    const before = arena.ints(0).byteOffset;
    const source = { y: new Float32Array(45), spikes: undefined, hasUnitSpikes: false } as unknown as RuntimeNode;
    new RuntimeNode(made, [source, source], arena);
    const used = arena.ints(0).byteOffset - before;
    expect(used).toBeLessThanOrEqual(bytes);
    expect(used).toBeGreaterThan(0.5 * bytes);
  });

  it('has room for a recorder, which may read behind the end of a row', () => {
    const network = compileGraph(chain(45, 45, { n: node('LI', { tau: 2, r: 1, v_leak: 0 }) }), 'dt: 1');
    expect(recorderArenaBytes(network)).toBe(4 * 3 * 3 + 2 * 64);
    const simulator = new Simulator(network);
    const before = simulator.arena.ints(0).byteOffset;
    const recorder = new RunRecorder(simulator);
    expect(simulator.arena.ints(0).byteOffset - before).toBe(16);
    expect([recorder.wordsFor(1), recorder.wordsFor(7)]).toEqual([1, 7]);
  });
});
