import { describe, expect, it, jest } from '@jest/globals';
import { randomExamples, studentSpec } from '../../test/support/learning.ts';
import { matrix, writeNir } from '../../test/support/nir-writer.ts';
import { chain, node } from '../../test/support/run-network.ts';
import { parseManifest } from '../config/manifest.ts';
import { compileNetwork } from '../engines/local/compile.ts';
import { Interrupt } from '../engines/local/interrupt.ts';
import { Simulator } from '../engines/local/simulator.ts';
import { Learner, type StudentSpec } from './learner.ts';
import { type ModelFiles, checkBase, studentFiles } from './student-nir.ts';

const lif = node('LIF', { tau: [2, 3], r: [4, 5], v_leak: [0, 0], v_threshold: [1, 1] });
const base = (manifest = '', nodes = {}): ModelFiles => ({
  nir: writeNir(chain(3, 2, { dense: node('Linear', { weight: matrix([1, 2, 0], [0, -1, 1]) }), lif, ...nodes })),
  manifest: parseManifest(`dt: 1\nsteps: 8\n${manifest}`),
  tokenizer: undefined,
});

function learnt(spec: StudentSpec): Learner {
  const learner = new Learner(spec);
  for (const example of randomExamples(50, 1, spec)) learner.learn(example);
  return learner;
}

function run({ nir, manifest }: { nir: Uint8Array; manifest: string }, input: readonly number[]) {
  const network = compileNetwork(nir, parseManifest(manifest));
  return new Simulator(network).run(Float32Array.from(input), network.steps, Interrupt.never());
}

describe('studentFiles', () => {
  it('compute the readout from the input without a base', () => {
    const learner = learnt(studentSpec());
    const { potentials } = run(studentFiles(learner, undefined), [1, 0, -1, 0.5, 2]);
    const { meanWeights, meanBias } = learner.readout;
    const { fround } = Math;
    const expected = Array.from(meanBias, (bias, label) =>
      [1, 0, -1, 0.5, 2].reduce((sum, x, k) => fround(sum + fround(meanWeights[label * 5 + k]! * x)), bias),
    );
    expect([...potentials]).toEqual(expected);
  });

  it('compute the readout from the mean spikes of a base', () => {
    const learner = learnt(studentSpec({ base: 'b/1', features: 2 }));
    const counts = run({ nir: base().nir, manifest: 'dt: 1\nsteps: 8' }, [1, 0.2, 0.7]).spikeCounts;
    const { potentials } = run(studentFiles(learner, base()), [1, 0.2, 0.7]);
    const { meanWeights, meanBias } = learner.readout;
    const expected = Array.from(meanBias, (bias, label) =>
      [...counts].reduce((sum, count, k) => sum + (meanWeights[label * 2 + k]! * count) / 8, bias),
    );
    expect([...counts]).not.toContain(0);
    expected.forEach((value, label) => expect(potentials[label]).toBeCloseTo(value, 5));
  });

  it('are identical for the same student at any time', () => {
    const learner = learnt(studentSpec({ base: 'b/1', features: 2 }));
    const one = studentFiles(learner, base());
    const later = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    const two = studentFiles(learner, base());
    later.mockRestore();
    expect(Buffer.from(one.nir).equals(two.nir)).toBe(true);
  });
});

describe('checkBase', () => {
  it('refuses a base that reads out a potential', () => {
    expect(() => checkBase(base('readout: {from: last_potential}'))).toThrow('its readout is a potential');
  });

  it('refuses a base with a node name of the student', () => {
    const taken = { student_readout: node('Affine', { weight: matrix([1, 0], [0, 1]), bias: [0, 0] }), again: lif };
    expect(() => checkBase(base('', taken))).toThrow('it has a node "student_readout" already');
  });
});
