import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SimulationPort, jobOf } from '../../../test/fakes/simulation-port.ts';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { Interrupt } from './interrupt.ts';
import type { Answer, Failure } from './messages.ts';
import type { Network } from './network.ts';
import { toShared } from './shared-clock.ts';
import { type RunResult, Simulator } from './simulator.ts';

const SERIES = 'dt: 1\ninput: {kind: series}\nreadout: {from: last_potential}';
const fires = node('IF', { r: 1, v_threshold: 1.5 });
const layers = compileGraph(
  chain(3, 3, { first: fires, second: fires, li: node('LI', { tau: 2, r: 1, v_leak: 0 }) }),
  SERIES,
);
const overflow = compileGraph(
  chain(1, 1, { li: node('LI', { tau: 1, r: 1, v_leak: 0 }), big: node('Scale', { scale: 1e38 }) }),
  SERIES,
);
const networks = { layers, overflow };
const ROWS = [2, 0, 1, 0, 1, 1, 2, 2, 0];
const STEPS = 3;

const known = (network: Network, input: readonly number[], steps: number, state = new Uint8Array(0)): RunResult => {
  const session = { state, returnState: true };
  return new Simulator(network).run(Float32Array.from(input), steps, Interrupt.never(), undefined, session);
};
const result = ({ outcome }: Answer): RunResult => outcome as RunResult;
const failure = ({ outcome }: Answer): unknown => {
  const { kind, metadata } = outcome as Failure;
  return [kind, metadata];
};
const { state: stateAfter, ...right } = known(layers, ROWS, STEPS);

let port: SimulationPort;
let silent: SimulationPort;

beforeAll(() => {
  port = new SimulationPort(networks, 1 << 20);
  silent = new SimulationPort(networks, 0);
});

afterAll(async () => {
  await Promise.all([port.end(), silent.end()]);
});

describe('a simulation thread', () => {
  it('answers each job of a batch by its slot', async () => {
    const rows = ROWS.map((value) => 2 * value);
    const jobs = [jobOf(5, 'layers', ROWS, STEPS), jobOf(0, 'layers', rows, STEPS)];
    const answers = (await port.batch(...jobs)).flat();
    expect(answers.map(({ slot }) => slot)).toEqual([5, 0]);
    expect(result(answers[0]!)).toEqual(right);
    expect(result(answers[1]!).stateDigest).toBe(known(layers, rows, STEPS).stateDigest);
  });

  it('answers an early job before a long batch ends, and short ones together', async () => {
    const long = 20_000;
    const slow = jobOf(0, 'layers', Array<number>(3 * long).fill(1), long);
    const some = Array.from({ length: 40 }, (_, n) => jobOf(n + 1, 'layers', ROWS, STEPS));
    const answers = await port.batch(slow, ...some);
    expect(answers[0]!.map(({ slot }) => slot)).toEqual([0]);
    expect(answers.flat().map(({ slot }) => slot)).toEqual(Array.from({ length: 41 }, (_, n) => n));
    expect(answers.length).toBeLessThan(41);
  });

  it('measures how long a job waited and ran', async () => {
    const before = performance.now();
    const { queueUs, computeUs } = await port.run(
      jobOf(0, 'layers', ROWS, STEPS, { receivedMs: toShared(before - 500) }),
    );
    const wholeUs = 1_000 * (performance.now() - before);
    // The clocks of two threads differ a little.
    expect(queueUs).toBeGreaterThan(400_000);
    expect(computeUs).toBeGreaterThan(0);
    expect(queueUs - 500_000 + computeUs).toBeLessThan(wholeUs + 100_000);
  });

  it('reports no negative time', async () => {
    const later = jobOf(0, 'layers', ROWS, STEPS, { receivedMs: toShared(performance.now() + 60_000) });
    expect((await port.run(later)).queueUs).toBe(0);
  });

  it('returns no arrays if only digests are requested', async () => {
    const { spikeCounts, potentials, ...digests } = result(
      await port.run(jobOf(0, 'layers', ROWS, STEPS, { digestOnly: true })),
    );
    const { spikeCounts: _, potentials: __, ...rightDigests } = right;
    expect([spikeCounts.length, potentials.length, digests]).toEqual([0, 0, rightDigests]);
  });

  it('returns the layers, with their events only for RASTER', async () => {
    const counts = await port.run(jobOf(0, 'layers', ROWS, STEPS, { detail: 'LAYERS' }));
    const raster = await port.run(jobOf(0, 'layers', ROWS, STEPS, { detail: 'RASTER' }));
    const [first, second] = result(counts).layers!;
    // Potentials: 2 0 1, then 0 1 2, then 2 3 0.
    expect([first!.spikesPerStep, first!.eventSteps]).toEqual([[1, 1, 2], []]);
    expect(second).toMatchObject({ node: 'second', neurons: 3 });
    expect(result(raster).layers![0]).toMatchObject({ eventSteps: [0, 1, 2, 2], eventNeurons: [0, 2, 0, 1] });
    expect(result(raster).stateDigest).toBe(right.stateDigest);
  });

  it('returns the readout of each step', async () => {
    const { readoutPerStep, stateDigest } = result(
      await port.run(jobOf(0, 'layers', ROWS, STEPS, { detail: 'READOUT' })),
    );
    const perStep = [1, 2, 3].flatMap((steps) => [...known(layers, ROWS.slice(0, 3 * steps), steps).potentials]);
    expect([...new Float32Array(readoutPerStep!.slice().buffer)]).toEqual(perStep);
    expect(stateDigest).toBe(right.stateDigest);
  });

  it('starts from a state and returns the next one, on request', async () => {
    const first = result(await port.run(jobOf(0, 'layers', ROWS.slice(0, 6), 2, { returnState: true })));
    const more = { returnState: true };
    const last = result(await port.run(jobOf(0, 'layers', ROWS.slice(6), 1, more, first.state)));
    expect(last.state).toEqual(stateAfter);
    const layered = { returnState: true, detail: 'LAYERS' } as const;
    expect(result(await port.run(jobOf(0, 'layers', ROWS.slice(6), 1, layered, first.state))).state).toEqual(
      stateAfter,
    );
    expect(result(await port.run(jobOf(0, 'layers', ROWS, STEPS))).state).toBeUndefined();
  });
});

describe('a simulation thread fails a job', () => {
  it.each<[string, Parameters<typeof jobOf>, unknown]>([
    [
      'with a number that is not finite',
      [0, 'layers', [1, 1, 1, NaN, 1, 1], 2],
      ['INPUT_NOT_FINITE', { field: 'data', index: '3' }],
    ],
    ['with a damaged state', [0, 'layers', ROWS, STEPS, {}, new Uint8Array(60)], ['STATE_INVALID', { field: 'state' }]],
    [
      'of too many steps for its state',
      [0, 'layers', ROWS, 2 ** 32, {}, stateAfter],
      ['INPUT_STEPS', { field: 'state' }],
    ],
    ['that becomes infinite', [0, 'overflow', [1, 2, 100], 3], ['NON_FINITE', { step: '2', node: 'big' }]],
    ['whose deadline has passed', [0, 'layers', ROWS, STEPS, { deadlineMs: 0 }], ['DEADLINE_EXCEEDED', {}]],
    ['of an unknown model', [0, 'none', ROWS, STEPS], ['ENGINE_FAULT', {}]],
  ])('%s', async (_, job, expected) => {
    const answer = await silent.run(jobOf(...job));
    expect([failure(answer), answer.recording]).toEqual([expected, 0]);
  });

  it('whose caller has left', async () => {
    silent.flags[7] = 1;
    const left = await silent.run(jobOf(7, 'layers', ROWS, STEPS));
    silent.flags[7] = 0;
    expect(failure(left)).toEqual(['CANCELLED', {}]);
    expect(result(await silent.run(jobOf(7, 'layers', ROWS, STEPS)))).toEqual(right);
  });

  it('with the cause, of what it did not expect', async () => {
    const { outcome } = await silent.run(jobOf(0, 'none', ROWS, STEPS));
    expect((outcome as Failure).cause).toContain('TypeError');
  });
});

describe('recordings of a simulation thread', () => {
  it('are numbered from 1 on', async () => {
    const fresh = new SimulationPort(networks, 1 << 20);
    const numbers: number[] = [];
    for (let n = 0; n < 3; n += 1) numbers.push((await fresh.run(jobOf(0, 'layers', ROWS, STEPS))).recording);
    await fresh.end();
    expect(numbers).toEqual([1, 2, 3]);
  });

  it('have the spikes of every step', async () => {
    for (const detail of ['SUMMARY', 'LAYERS', 'READOUT'] as const) {
      const { recording } = await port.run(jobOf(0, 'layers', ROWS, STEPS, { detail }));
      const { steps, ended, nodes } = (await port.recording(recording))!;
      expect([steps, ended, nodes[0]!.node, [...nodes[0]!.spikes]]).toEqual([3, '', 'first', [0b001, 0b100, 0b011]]);
    }
  });

  it('end before the step that failed', async () => {
    const answer = await port.run(jobOf(0, 'overflow', [1, 2, 100], 3));
    expect(await port.recording(answer.recording)).toMatchObject({ steps: 2, ended: 'NON_FINITE' });
  });

  it.each<[string, Parameters<typeof jobOf>]>([
    ['was refused', [0, 'layers', [NaN, 1, 1], 1]],
    ['was stopped', [0, 'layers', ROWS, STEPS, { deadlineMs: 0 }]],
    ['had a damaged state', [0, 'layers', ROWS, STEPS, {}, new Uint8Array(60)]],
  ])('do not exist of a run that %s', async (_, job) => {
    const before = (await port.run(jobOf(0, 'layers', ROWS, STEPS))).recording;
    expect((await port.run(jobOf(...job))).recording).toBe(0);
    expect((await port.run(jobOf(0, 'layers', ROWS, STEPS))).recording).toBe(before + 1);
  });

  it('do not exist without memory for them', async () => {
    expect((await silent.run(jobOf(0, 'layers', ROWS, STEPS))).recording).toBe(0);
    expect((await silent.run(jobOf(0, 'overflow', [1, 2, 100], 3))).recording).toBe(0);
    expect(await silent.recording(1)).toBeUndefined();
  });
});

describe('the networks of a simulation thread', () => {
  const double = compileGraph(chain(1, 1, { s: node('Scale', { scale: 2 }) }), SERIES);
  const triple = compileGraph(chain(1, 1, { s: node('Scale', { scale: 3 }) }), SERIES);
  const read = async (): Promise<unknown> => {
    const answer = await port.run(jobOf(0, 'changing', [5], 1));
    return 'kind' in answer.outcome ? answer.outcome.kind : [...answer.outcome.potentials];
  };

  it('are added, replaced and removed between two batches', async () => {
    const seen = [await read()];
    for (const network of [double, triple, undefined, double]) {
      port.change({ key: 'changing', network });
      seen.push(await read());
    }
    expect(seen).toEqual(['ENGINE_FAULT', [10], [15], 'ENGINE_FAULT', [10]]);
  });
});
