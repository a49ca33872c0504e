import { describe, expect, it } from '@jest/globals';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { Interrupt } from './interrupt.ts';
import { RecordingRing } from './recording-ring.ts';
import { RunRecorder } from './run-recorder.ts';
import { Simulator } from './simulator.ts';

const STEPS = 4;

function recorderOf(neurons: number): { simulator: Simulator; recorder: RunRecorder } {
  const fires = node('IF', { r: 1, v_threshold: 0.5 });
  const simulator = new Simulator(compileGraph(chain(neurons, neurons, { fires }), `dt: 1\nsteps: ${STEPS}`));
  return { simulator, recorder: new RunRecorder(simulator) };
}

const wide = recorderOf(2_000);
const BYTES = 4 * wide.recorder.wordsFor(STEPS);

/** Runs once with `value` for every neuron. Returns the number of the recording, 0 if there is no space. */
function runOnce(ring: RecordingRing, value: number, { simulator, recorder } = wide): number {
  const words = recorder.wordsFor(STEPS);
  const from = ring.reserve(words);
  if (from < 0) return 0;
  recorder.start(ring.memory, from);
  const width = simulator.network.inputSize;
  simulator.run(new Float32Array(width).fill(value), STEPS, Interrupt.never(), recorder.record);
  return ring.keep(recorder, words, STEPS, '');
}

const firesIn = (ring: RecordingRing, number: number): boolean | undefined => {
  return ring.find(number)?.nodes[0]!.spikes.every((byte) => byte === 0xff);
};

describe('RecordingRing', () => {
  it('finds a recording by its number', () => {
    const ring = new RecordingRing(10 * BYTES);
    expect([runOnce(ring, 1), runOnce(ring, 0)]).toEqual([1, 2]);
    expect(firesIn(ring, 1)).toBe(true);
    expect(firesIn(ring, 2)).toBe(false);
    expect(ring.find(3)).toBeUndefined();
  });

  it('drops the oldest recordings for new ones', () => {
    const ring = new RecordingRing(5.5 * BYTES);
    for (let n = 1; n <= 23; n += 1) runOnce(ring, n % 2);
    expect(ring.count).toBe(5);
    for (let n = 19; n <= 23; n += 1) expect(firesIn(ring, n)).toBe(n % 2 === 1);
    expect(ring.find(18)).toBeUndefined();
  });

  it('keeps recordings of different sizes in its memory', () => {
    const ring = new RecordingRing(20 * BYTES);
    const some = [wide, recorderOf(3), recorderOf(700)];
    for (let n = 1; n <= 500; n += 1) expect(runOnce(ring, n % 2, some[n % 3])).toBe(n);
    expect(ring.count).toBeGreaterThan(20);
    for (let n = 501 - ring.count; n <= 500; n += 1) expect(ring.find(n)?.steps).toBe(STEPS);
    expect(ring.find(500 - ring.count)).toBeUndefined();
  });

  it('refuses a recording larger than a quarter, or any without memory', () => {
    expect(runOnce(new RecordingRing(4 * BYTES - 4), 1)).toBe(0);
    expect(runOnce(new RecordingRing(0), 1)).toBe(0);
  });
});
