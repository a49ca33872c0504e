import { describe, expect, it } from '@jest/globals';
import { everyThird, fakeRecording, withNode } from '../../test/fakes/recordings.ts';
import type { Recording } from '../engines/engine.ts';
import { compareRecordings, mismatch, recordingProblem } from './recording-compare.ts';
import { describeComparison, describeUnknown } from './recording-text.ts';

const reference = fakeRecording();

/** The text that a reader sees. */
function text(recording: Recording, other = reference, isCertain = true): string {
  return describeComparison(compareRecordings(recording, other), { engine: 'e2', reference: 'e1', isCertain });
}

describe('compareRecordings', () => {
  it('finds the first step and node whose state differs', () => {
    const recording = fakeRecording({ state: (step) => (step >= 2 ? 99 : step) });
    expect(compareRecordings(recording, reference)).toEqual({
      state: { step: 2, node: 'lif' },
      spike: undefined,
      end: undefined,
      first: { step: 2, node: 'lif' },
    });
    expect(text(recording)).toBe(
      'e2 differed from e1 first at step 2 in node "lif" (potentials); only potentials differed, no spike did',
    );
  });

  it('finds the first spike that differs, even at a later step', () => {
    const recording = fakeRecording({
      state: (step) => (step >= 1 ? 99 : step),
      spikes: (step, neuron) => everyThird(step, neuron) !== (step >= 2 && neuron === 9),
    });
    expect(compareRecordings(recording, reference)).toMatchObject({
      state: { step: 1, node: 'lif' },
      spike: { step: 2, node: 'lif', neuron: 9, spiked: true },
    });
    expect(text(recording)).toBe(
      'e2 differed from e1 first at step 1 in node "lif" (potentials); ' +
        'first different spike: step 2, node "lif", neuron 9, where only e2 spiked',
    );
  });

  it('finds a missing spike if the potentials are equal', () => {
    const recording = fakeRecording({
      spikes: (step, neuron) => everyThird(step, neuron) && !(step === 3 && neuron === 0),
    });
    expect(text(recording)).toBe(
      'e2 differed from e1 first at step 3 in node "lif" (spikes); ' +
        'first different spike: step 3, node "lif", neuron 0, where only e1 spiked',
    );
  });

  it('names potentials and spikes if both differ in one step', () => {
    const recording = fakeRecording({
      state: (step) => (step === 1 ? 99 : step),
      spikes: (step, neuron) => everyThird(step, neuron) !== (step === 1 && neuron === 0),
    });
    expect(text(recording)).toMatch(/first at step 1 in node "lif" \(potentials and spikes\)/);
  });

  it('finds a spike before the state difference of a later node', () => {
    const recording = fakeRecording({
      state: (step, node) => (step === 1 && node === 'li' ? 99 : step),
      spikes: (step, neuron) => everyThird(step, neuron) !== (step === 1 && neuron === 0),
    });
    expect(compareRecordings(recording, reference)).toMatchObject({
      first: { step: 1, node: 'lif' },
      state: { step: 1, node: 'li' },
    });
    expect(text(recording)).toMatch(/first at step 1 in node "lif" \(spikes\)/);
  });

  it('blames neither engine if neither is known to be right', () => {
    expect(text(fakeRecording({ state: () => 7 }), reference, false)).toMatch(/^e2 and e1 differed first at step 0/);
  });
});

describe('compareRecordings, if one run ended early,', () => {
  const ended = fakeRecording({ steps: 2, ended: 'NON_FINITE' });

  it('names the step that was not finished', () => {
    expect(compareRecordings(ended, reference).end).toEqual({
      step: 2,
      did: 'ended with NON_FINITE',
      referenceDid: 'went on',
    });
    expect(text(ended)).toBe('e2 and e1 did the same until step 2, where e2 ended with NON_FINITE and e1 went on');
  });

  it('names the end of the reference if that ended early', () => {
    expect(text(reference, ended)).toBe(
      'e2 and e1 did the same until step 2, where e2 went on and e1 ended with NON_FINITE',
    );
  });

  it('names an earlier difference, too', () => {
    const before = fakeRecording({ steps: 2, ended: 'NON_FINITE', state: () => 0 });
    expect(text(before)).toMatch(/^e2 differed from e1 first at step 1 .*; at step 2, where e2 ended with NON_FINITE/);
  });

  it('accepts a run that ended before its first step', () => {
    const none = fakeRecording({ steps: 0, ended: 'NON_FINITE' });
    expect([recordingProblem(none, NOTHING), mismatch(none, reference)]).toEqual(['', '']);
    expect(text(none)).toMatch(/did the same until step 0, where e2 ended/);
  });
});

describe('compareRecordings, if the recordings are equal,', () => {
  it('says that the answer was altered after it was computed', () => {
    expect(text(fakeRecording())).toBe(
      'nothing that e2 recorded differs from e1: what it computed is right; what it returned was not',
    );
    expect(text(fakeRecording(), reference, false)).toBe(
      'nothing that e2 and e1 recorded differs: they computed the same and returned something else',
    );
  });
});

const NOTHING = { steps: undefined, nodes: undefined, readout: undefined };
const RUN = { steps: 4, nodes: 5, readout: 2 };

describe('an invalid recording', () => {
  it.each<[string, Recording, string]>([
    ['no node', { ...reference, nodes: [] }, 'it holds no node'],
    [
      'no node and four billion steps',
      { ...reference, nodes: [], steps: 2 ** 32 - 1, ended: 'NON_FINITE' },
      'it holds no node',
    ],
    [
      'too many nodes',
      { ...reference, nodes: Array(6).fill(reference.nodes[0]) },
      'it holds 6 nodes, and the model has 5',
    ],
    ['too few steps', fakeRecording({ steps: 3 }), 'it holds 3 steps, and the run has 4'],
    ['too many steps', fakeRecording({ steps: 5 }), 'it holds 5 steps, and the run has 4'],
    [
      'all steps, and an early end',
      fakeRecording({ ended: 'NON_FINITE' }),
      'it holds 4 steps and ended with NON_FINITE, and the run has 4',
    ],
    ['an unknown reason for its end', { ...reference, ended: 'x\u001b[2J' }, 'its reason for an early end is not one'],
    [
      'fewer checksums than steps',
      withNode(reference, 1, { stateChecksums: new Uint32Array(3) }),
      'its node 2 has 3 state checksums for 4 steps',
    ],
    [
      'fewer spikes than its size',
      withNode(reference, 0, { elements: 2 ** 32 - 1 }),
      'its node 1 has 8 bytes of spikes; 4 steps of 4294967295 elements take 2147483648',
    ],
    ['no elements', withNode(reference, 0, { elements: 0 }), 'its node 1 has no elements'],
    [
      'spikes of missing neurons',
      withNode(reference, 0, { spikes: new Uint8Array(8).fill(255) }),
      'its node 1 has spikes of elements that it does not have',
    ],
    ['no readout', withNode(reference, 1, { elements: 7 }), 'no node has the 2 elements of the readout'],
  ])('is refused by recordingProblem if it has %s', (_, recording, problem) => {
    expect(recordingProblem(recording, RUN)).toBe(problem);
  });

  it('is not reported for a valid recording or an unknown run', () => {
    expect(recordingProblem(reference, RUN)).toBe('');
    expect(recordingProblem(fakeRecording({ steps: 2, ended: 'NON_FINITE' }), RUN)).toBe('');
    expect(recordingProblem(fakeRecording({ steps: 9 }), NOTHING)).toBe('');
  });

  it.each<[string, Recording, string]>([
    ['other nodes', withNode(reference, 1, { node: 'other' }), 'it holds other nodes, or in another order'],
    ['fewer nodes', { ...reference, nodes: reference.nodes.slice(1) }, 'it holds other nodes, or in another order'],
    ['another size', fakeRecording({ neurons: 11 }), 'its node 1 has 11 elements, not 10'],
    ['no spikes', withNode(reference, 0, { spikes: new Uint8Array(0) }), 'its node 1 does not spike, and has to'],
    ['another length', fakeRecording({ steps: 3 }), 'it holds 3 steps, not 4'],
  ])('is refused by mismatch if it has %s', (_, recording, problem) => {
    expect(mismatch(recording, reference)).toBe(problem);
  });
});

describe('names of nodes in the text', () => {
  it('are escaped and truncated', () => {
    const named = withNode(reference, 0, { node: `\u001b[2J${'x'.repeat(1_000)}` });
    const other = withNode(named, 0, { stateChecksums: new Uint32Array(4).fill(9) });
    const words = text(other, named);
    expect(words).toMatch(/in node "\\u\{1b\}\[2Jx{60}"/);
    expect(describeUnknown('e2', `\u0007${'y'.repeat(1_000)}`)).toMatch(/not known: \\u\{7\}y{199}$/);
  });
});
