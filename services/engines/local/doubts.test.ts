import { describe, expect, it } from '@jest/globals';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import type { NodeSpec } from '../../../test/support/nir-writer.ts';
import { parseManifest } from '../../config/manifest.ts';
import { doubtsOf } from './doubts.ts';

function of(spec: NodeSpec, manifest: string): string[] {
  return doubtsOf(compileGraph(chain(1, 1, { n: spec }), manifest), parseManifest(manifest));
}

const lif = (tau: number): NodeSpec => node('LIF', { tau, r: 1, v_leak: 0, v_threshold: 1 });
const integrate = node('IF', { r: 1, v_threshold: 1 });

describe('doubtsOf warns', () => {
  it('if a time constant is shorter than dt', () => {
    expect(of(lif(0.5), 'dt: 1')).toEqual([
      expect.stringMatching(/^node "n": tau is 0.5, shorter than dt, 1, at index 0/),
    ]);
    expect([of(lif(2), 'dt: 1'), of(lif(0.5), 'dt: 1\ndecay: exponential')]).toEqual([[], []]);
  });

  it('if the manifest does not state the gain of an IF', () => {
    expect(of(integrate, 'dt: 1')).toEqual([expect.stringMatching(/state if_gain in model.yaml/)]);
    expect(of(integrate, 'dt: 1\nif_gain: dt')).toEqual([]);
  });

  it('if spikes are read from a node that does not fire', () => {
    const scale = node('Scale', { scale: 1 });
    expect(of(scale, 'dt: 1')).toEqual([expect.stringMatching(/a Scale, which does not fire/)]);
    expect(of(scale, 'dt: 1\nreadout: {from: first_spike}')).toHaveLength(1);
    expect(of(scale, 'dt: 1\nreadout: {from: max_potential}')).toEqual([]);
  });
});
