// All kinds of input and of readout, end to end: the same from both kinds of engine.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Events, type ReasonRequest, type ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { Grade, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { refusalOf } from '../support/refusal.ts';
import { chain, node } from '../support/run-network.ts';
import { type System, startSystem } from '../support/system.ts';

const FRAME = 2 * 128 * 128;
const fires = (size: number) => node('Threshold', { threshold: Array<number>(size).fill(0.5) });
const series = 'dt: 1\ninput: {kind: series}\n';

describe('inputs and readouts', () => {
  const folder = new ModelFolder();
  for (const from of ['spike_count', 'mean_potential', 'last_potential', 'max_potential', 'first_spike']) {
    const graph = chain(3, 3, { n: node('Threshold', { threshold: [0.5, 0.5, 0.5] }) });
    folder.add(from.replace('_', '-'), 1, graph, `${series}readout: {from: ${from}}\nlabels: [a, b, c]`);
  }

  folder
    .add(
      'leaky',
      1,
      chain(2, 2, { n: node('LI', { tau: [4, 4], r: [1, 1], v_leak: [0, 0] }) }),
      `${series}readout: {from: last_potential}`,
    )
    .add('sensor', 1, chain(12, 12, { n: fires(12) }), `${series}events: {bin_us: 100, width: 3, height: 2}`)
    .add('rate', 1, chain(4, 4, { n: fires(4) }), `${series}steps: 50\nencoder: {kind: rate, seed: 5}`)
    .add('frames', 1, chain(FRAME, FRAME, { n: fires(FRAME) }), series);
  let system: System;
  beforeAll(async () => {
    system = await startSystem({
      ...{ spawn: { count: 1 }, vote: { participants: 2 }, models_dir: folder.path, default_model: 'leaky' },
    });
  }, 120_000);
  afterAll(async () => {
    await system.stop();
    folder.remove();
  });

  /** The answer of both engines, which must agree exactly. */
  async function ask(request: Partial<ReasonRequest>): Promise<ReasonResponse> {
    const answer = await system.reason({ ...request, strategy: Strategy.STRATEGY_REDUNDANT });
    expect([answer.grade, answer.vote?.ballots.length]).toEqual([Grade.GRADE_UNANIMOUS, 2]);
    return answer;
  }

  const tensor = (dtype: string, shape: number[], data: Uint8Array) => ({ shape, dtype, data: Buffer.from(data) });

  it.each([
    ['spike-count', 'b', [1, 0, 0]],
    ['mean-potential', 'b', [0.5, 0.75, 0]],
    ['last-potential', 'a', [1, 0, 0]],
    ['max-potential', 'a', [1, 1, 0]],
    ['first-spike', 'b', [3, 4, 0]],
  ])('are concluded from %s', async (model, label, potentials) => {
    const rows = Uint8Array.of(0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0);
    const answer = await ask({ model, tensor: tensor('BOOL', [4, 3], rows) });
    expect([answer.label, answer.potentials, answer.spikeCounts]).toEqual([label, potentials, [2, 3, 0]]);
  });

  it('may be of any element type, with the same answer', async () => {
    const numbers = [1, 0, -2, 3];
    const digests = await Promise.all(
      [
        tensor('FP32', [2, 2], new Uint8Array(Float32Array.from(numbers).buffer)),
        tensor('FP16', [2, 2], new Uint8Array(Uint16Array.of(0x3c00, 0, 0xc000, 0x4200).buffer)),
        tensor('INT8', [2, 2], new Uint8Array(Int8Array.from(numbers).buffer)),
      ].map(async (input) => (await ask({ model: 'leaky', tensor: input })).stateDigest),
    );
    expect(new Set(digests).size).toBe(1);
  });

  it('may be events, which are the same as their bins', async () => {
    const events = Events.fromPartial({
      tUs: [1_000n, 1_099n, 1_100n],
      x: [0, 2, 1],
      y: [0, 1, 0],
      polarity: [false, true, true],
    });
    const { stateDigest, steps, spikeCounts } = await ask({ model: 'sensor', events });
    const bins = new Uint8Array(24);
    for (const at of [0, 11, 12 + 7]) bins[at] = 1;
    const same = await ask({ model: 'sensor', tensor: tensor('UINT8', [2, 12], bins) });
    expect([steps, stateDigest]).toEqual([2, same.stateDigest]);
    expect(spikeCounts.map((count, at) => count * at).filter(Boolean)).toEqual([7, 11]);
  });

  it('with wrong events are refused with field and index', async () => {
    const events = Events.fromPartial({ tUs: [5n, 4n], x: [0, 0], y: [0, 0], polarity: [false, false] });
    const { code, reason, field, metadata } = await refusalOf(system.reason({ model: 'sensor', events }));
    expect([code, reason, field, metadata['index']]).toEqual([
      'INVALID_ARGUMENT',
      'INVALID_FIELD',
      'events.t_us[1]',
      '1',
    ]);
  });

  it('with an encoder give the same spikes on every engine', async () => {
    const { steps, spikeCounts } = await ask({ model: 'rate', encoding: [0, 0.5, 1, -1] });
    expect([steps, spikeCounts[0], spikeCounts[2], spikeCounts[3]]).toEqual([50, 0, 50, 0]);
    expect(spikeCounts[1]).toBeGreaterThan(10);
    expect(spikeCounts[1]).toBeLessThan(40);
  });

  it('may be 100 frames of 2×128×128 numbers', async () => {
    const data = Buffer.alloc(4 * 100 * FRAME);
    const answer = await ask({ model: 'frames', tensor: { shape: [100, FRAME], dtype: 'FP32', data } });
    expect([answer.steps, answer.totalSpikes]).toEqual([100, 0n]);
  });

  it('over the limit of a message get RESOURCE_EXHAUSTED, with the limit', async () => {
    const data = Buffer.alloc(16_777_216);
    const refused = refusalOf(system.reason({ model: 'frames', tensor: { shape: [128, FRAME], dtype: 'FP32', data } }));
    const { code, reason, metadata } = await refused;
    expect([code, reason, metadata['max_message_bytes']]).toEqual([
      'RESOURCE_EXHAUSTED',
      'MESSAGE_TOO_LARGE',
      '16777216',
    ]);
  });
});
