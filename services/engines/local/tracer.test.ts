import { describe, expect, it } from '@jest/globals';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { matrix } from '../../../test/support/nir-writer.ts';
import type { TracePlace } from '../engine.ts';
import { xxh64 } from '../xxh64.ts';
import { trace } from './tracer.ts';

const SERIES = 'dt: 1\ninput: {kind: series}\nreadout: {from: last_potential}';
const li = node('LI', { tau: 2, r: 1, v_leak: 0 });
const cuba = node('CubaLIF', { tau_syn: 1, tau_mem: 2, r: 1, v_leak: 0, v_threshold: 1 });

const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);

function traceOf(nodes: Parameters<typeof chain>[2], rows: readonly number[], manifest = SERIES, place?: TracePlace) {
  const network = compileGraph(chain(1, 1, nodes), manifest);
  const steps = network.inputKind === 'series' ? rows.length : network.steps;
  return trace({ network, input: Float32Array.from(rows), steps, state: new Uint8Array(0), place });
}

describe('trace', () => {
  it('returns a digest of state and output for each step and node', () => {
    const { nodes, digests, ended } = traceOf({ li }, [4, 0]);
    expect([nodes, ended]).toEqual([['input', 'li', 'output'], '']);
    // v = 0 + ½·(4 − 0) = 2, then 2 + ½·(0 − 2) = 1; the output of an LI node is its potential, so it is hashed twice.
    expect([...digests]).toEqual([[4], [2, 2], [2], [0], [1, 1], [1]].map((values) => xxh64(floats(...values))));
  });

  it('puts the current before the potential', () => {
    // i = 3, v = 1.5 > 1: it fires and is reset.
    expect(traceOf({ cuba }, [3]).digests[1]).toBe(xxh64(floats(3, 0, 1)));
  });

  it('repeats constant nodes at every step', () => {
    const double = node('Linear', { weight: matrix([2]) });
    const { digests } = traceOf({ double, li }, [4], 'dt: 1\nsteps: 3');
    expect([1, 5, 9].map((at) => digests[at])).toEqual(Array(3).fill(xxh64(floats(8))));
  });

  it('ends before the step that fails, and says why', () => {
    const { digests, ended } = traceOf({ big: node('Scale', { scale: 1e38 }) }, [1, 2, 10, 1]);
    expect([digests.length, ended]).toEqual([2 * 3, 'NON_FINITE']);
  });

  it('ends before the last step if only the mean fails', () => {
    const manifest = SERIES.replace('last_potential', 'mean_potential');
    const { digests, ended } = traceOf({ pass: node('Scale', { scale: 1 }) }, [3e38, 3e38, 0], manifest);
    expect([digests.length, ended]).toEqual([2 * 3, 'NON_FINITE']);
  });
});

describe('trace of one node and step', () => {
  const at = (step: number, name: string) => {
    const { digests, current, potential, output, ended } = traceOf({ cuba }, [3, 0, 0], SERIES, { step, node: name });
    return [[...digests], ...[current, potential, output].map((bytes) => Buffer.from(bytes)), ended];
  };

  it('returns current, potential and output after that step', () => {
    expect(at(0, 'cuba')).toEqual([[], floats(3), floats(0), floats(1), '']);
    expect(at(1, 'cuba')).toEqual([[], floats(0), floats(0), floats(0), '']);
  });

  it('returns only the output of a node without state', () => {
    expect(at(0, 'input')).toEqual([[], floats(), floats(), floats(3), '']);
  });

  it('returns nothing after the step that failed', () => {
    const big = node('Scale', { scale: 1e38 });
    const { output, ended } = traceOf({ big }, [10, 1], SERIES, { step: 1, node: 'big' });
    expect([output.length, ended]).toEqual([0, 'NON_FINITE']);
  });
});
