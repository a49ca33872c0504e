import { describe, expect, it } from '@jest/globals';
import { matrix } from '../../../test/support/nir-writer.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { Interrupt } from './interrupt.ts';
import { checkKnownRuns } from './known-runs.ts';
import type { KnownRun } from './messages.ts';
import { Simulator } from './simulator.ts';

const graph = chain(2, 2, {
  a: node('Linear', { weight: matrix([1, 2], [3, 4]) }),
  lif: node('LIF', { tau: 2, r: 1, v_leak: 0, v_threshold: 1 }),
});
const network = compileGraph(graph, 'dt: 1\nsteps: 4');
const ENOUGH_MS = 60_000;

function known(values: readonly number[], over: Partial<KnownRun> = {}): KnownRun {
  const { stateDigest, readoutDigest } = new Simulator(network).run(Float32Array.from(values), 4, Interrupt.never());
  const data = Buffer.from(Float32Array.from(values).buffer);
  return { name: 'dog', data, shape: undefined, stateDigest, readoutDigest, ...over };
}

const check = (...runs: KnownRun[]): number => checkKnownRuns(network, runs, ENOUGH_MS);

describe('checkKnownRuns', () => {
  it('runs all golden vectors if they are right', () => {
    expect(check(known([1, 0]), known([0.5, 2], { readoutDigest: undefined }))).toBe(2);
  });

  it('names a wrong golden vector with the expected and the computed digest', () => {
    const right = known([1, 0]);
    const wrong = known([0.5, 2], { stateDigest: 0xabcn });
    expect(() => check(right, wrong)).toThrow(
      /^golden vector "dog" \(2 of 2\): expected state digest 0000000000000abc, got [0-9a-f]{16}; put the right file back/,
    );
    expect(() => check({ ...right, readoutDigest: 1n })).toThrow(/\(1 of 1\): expected readout digest 0{15}1, got/);
  });

  it.each<[string, Partial<KnownRun>, RegExp]>([
    ['of another length', { data: Buffer.alloc(12) }, /shape needs 8 bytes of data, got 12/],
    ['of another shape', { shape: [3] }, /this model takes shape \[2\], got \[3\]/],
    ['that are not finite', { data: Buffer.from(Float32Array.of(NaN, 1).buffer) }, /element 0 is NaN/],
    ['without a name', { name: '', stateDigest: 1n }, /^golden vector \(1 of 1\): expected/],
  ])('names the problem of a golden vector %s', (_, over, message) => {
    expect(() => check(known([1, 0], over))).toThrow(message);
  });

  it('stops if its time is used up', () => {
    expect(checkKnownRuns(network, [known([1, 0])], 0)).toBe(0);
  });
});
