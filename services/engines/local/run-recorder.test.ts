import { describe, expect, it } from '@jest/globals';
import { Random } from '../../../test/fuzz/random.ts';
import type { GraphSpec } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import type { Recording } from '../engine.ts';
import { Interrupt } from './interrupt.ts';
import type { NeuronType } from './node-types.ts';
import { RunRecorder } from './run-recorder.ts';
import type { NonFinite } from './simulator.ts';
import { Simulator } from './simulator.ts';

const SERIES = 'dt: 1\ninput: {kind: series}';

function record(graph: GraphSpec, manifest: string, ...rows: (readonly number[])[]): Recording {
  const simulator = new Simulator(compileGraph(graph, manifest));
  const recorder = new RunRecorder(simulator);
  const memory = new Int32Array(recorder.wordsFor(rows.length));
  recorder.start(memory, 0);
  try {
    simulator.run(Float32Array.from(rows.flat()), rows.length, Interrupt.never(), recorder.record);
    return recorder.read(memory, 0, rows.length, '');
  } catch (error) {
    return recorder.read(memory, 0, (error as NonFinite).step, 'NON_FINITE');
  }
}

function pack(fired: readonly number[]): number[] {
  const bytes = Array<number>(Math.ceil(fired.length / 8)).fill(0);
  for (const [k, one] of fired.entries()) bytes[k >> 3]! |= one << (k & 7);
  return bytes;
}

/** As proto/NUMERICS.md defines it. */
function byTheBook(...parts: readonly Float32Array[]): number {
  const h = new Uint32Array(16);
  const [p, q] = [Int16Array.of(0x6a09), Int16Array.of(0x3e1b)];
  for (const part of parts) {
    for (const [k, w] of new Int32Array(part.buffer, part.byteOffset, part.length).entries()) {
      h[k % 16]! += Math.imul((w << 16) >> 16, p[0]!) + Math.imul(w >> 16, q[0]!);
      if (k % 16 < 15 && k + 1 < part.length) continue;
      p[0]! *= 9;
      q[0]! *= 9;
    }
  }
  return h.reduce((c, lane) => (Math.imul(c, 0x85ebca77) + ((lane ^ (lane >>> 16)) >>> 0)) >>> 0, 0);
}

describe('RunRecorder', () => {
  it('starts at the given word, and does not change the words before it', () => {
    const graph = chain(3, 3, { n: node('IF', { r: 1, v_threshold: 0.5 }) });
    const simulator = new Simulator(compileGraph(graph, SERIES));
    const recorder = new RunRecorder(simulator);
    const before = 10;
    const memory = new Int32Array(before + recorder.wordsFor(1)).fill(-1);
    recorder.start(memory, before);
    simulator.run(Float32Array.of(1, 0, 1), 1, Interrupt.never(), recorder.record);
    expect([...memory.subarray(0, before)]).toEqual(Array(before).fill(-1));
    expect([...recorder.read(memory, before, 1, '').nodes[0]!.spikes]).toEqual([0b101]);
  });

  it.each<[NeuronType | 'Scale', Record<string, number>, readonly ('i' | 'v' | 'y')[]]>([
    ['CubaLIF', { tau_syn: 2, tau_mem: 2, r: 4, v_leak: 0, v_threshold: 0.5 }, ['i', 'v']],
    ['LIF', { tau: 2, r: 4, v_leak: 0, v_threshold: 0.5 }, ['v']],
    ['Scale', { scale: 3 }, ['y']],
  ])('records the checksums and spikes of a plain loop over %s, for any width', (type, fields, rows) => {
    const random = new Random(1);
    for (let width = 1; width < 140; width += 1) {
      const simulator = new Simulator(compileGraph(chain(width, width, { n: node(type, fields) }), SERIES));
      const recorder = new RunRecorder(simulator);
      const steps = 3;
      const memory = new Int32Array(recorder.wordsFor(steps)).fill(-1);
      recorder.start(memory, 0);
      const want: [number, number[]][] = [];
      const recorded = simulator.nodes.find(({ name }) => name === 'n')!;
      const input = Float32Array.from({ length: steps * width }, () => random.between(-1, 1));
      simulator.run(input, steps, Interrupt.never(), (step) => {
        recorder.record(step);
        want.push([byTheBook(...rows.map((row) => recorded[row])), type === 'Scale' ? [] : [...recorded.y]]);
      });
      const { stateChecksums, spikes } = recorder.read(memory, 0, steps, '').nodes[0]!;
      for (const [step, [checksum, fired]] of want.entries()) {
        expect(stateChecksums[step]).toBe(checksum);
        const bytes = spikes.subarray(step * Math.ceil(width / 8), (step + 1) * Math.ceil(width / 8));
        expect([...bytes]).toEqual(pack(fired));
      }
    }
  });

  it('records one bit for each neuron and step', () => {
    const fires = node('IF', { r: 1, v_threshold: 0.5 });
    const quiet = Array<number>(10).fill(0);
    const some = quiet.map((_, k) => (k === 1 || k === 9 ? 1 : 0));
    const { nodes, steps } = record(chain(10, 10, { fires }), SERIES, quiet, some, quiet);
    expect(steps).toBe(3);
    expect(nodes.map(({ node, elements }) => [node, elements])).toEqual([['fires', 10]]);
    expect([...nodes[0]!.spikes]).toEqual([0, 0, 0b10, 0b10, 0, 0]);
  });

  it('records neurons and the readout node, with spikes of those that spike', () => {
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

  it('records up to the step before a failure', () => {
    const li = node('LI', { tau: 1, r: 1e30, v_leak: 0 });
    const { nodes, steps, ended } = record(chain(1, 1, { li }), SERIES, [1], [2], [1e38], [0]);
    expect([steps, ended]).toEqual([2, 'NON_FINITE']);
    expect(nodes[0]!.stateChecksums).toHaveLength(2);
  });
});
