// The detail of an answer: the same from every engine, in every kind of request, within its limits.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LayerActivity, ReasonRequest, ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import {
  BallotOutcome,
  CacheMode,
  CacheStatus,
  Detail,
  Grade,
  Strategy,
} from '../../services/generated/tandem/v1/types.ts';
import { callBatch } from '../support/batch-call.ts';
import { readHeldout } from '../support/heldout.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { refusalOf } from '../support/refusal.ts';
import { chain, node } from '../support/run-network.ts';
import { StreamCaller } from '../support/stream-caller.ts';
import { type System, startSystem } from '../support/system.ts';

const { DETAIL_LAYERS, DETAIL_RASTER } = Detail;
const STEPS = 16;

const data = readHeldout()[0]!.data;
/** The shipped model, which was trained here and exported as NIR. */
const shipped = (detail: Detail, over: Partial<ReasonRequest> = {}): Partial<ReasonRequest> => ({
  tensor: { shape: [768], dtype: 'FP32', data },
  cache: CacheMode.CACHE_MODE_BYPASS,
  detail,
  ...over,
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const eventsOf = (layers: readonly LayerActivity[]): number => sum(layers.map(({ eventSteps }) => eventSteps.length));

describe('the detail of a run', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ spawn: { count: 1 }, vote: { participants: 2 } });
  });
  afterAll(async () => {
    await system.stop();
  });

  /** The answer of each kind of engine. */
  async function byBoth(detail: Detail): Promise<ReasonResponse[]> {
    const answers = new Map<string, ReasonResponse>();
    while (answers.size < 2) {
      const answer = await system.reason(shipped(detail, { strategy: Strategy.STRATEGY_ROUND_ROBIN }));
      answers.set(answer.engine!.engineId, answer);
    }
    return [...answers.values()];
  }

  it('is empty by default', async () => {
    expect((await system.reason(shipped(Detail.DETAIL_UNSPECIFIED))).layers).toEqual([]);
    expect((await system.reason(shipped(Detail.DETAIL_SUMMARY))).layers).toEqual([]);
  });

  it('is the same from both engines, is consistent, and does not change the answer', async () => {
    const plain = await system.reason(shipped(Detail.DETAIL_SUMMARY));
    for (const detail of [DETAIL_LAYERS, DETAIL_RASTER]) {
      const [a, b] = await byBoth(detail);
      expect(a!.layers).toEqual(b!.layers);
      expect(a!.layers.length).toBeGreaterThan(0);
      expect(a!.stateDigest).toBe(plain.stateDigest);
      expect(a!.layers.reduce((total, { spikes }) => total + spikes, 0n)).toBe(plain.totalSpikes);
      for (const { spikes, spikesPerStep } of a!.layers) {
        expect([spikesPerStep.length, sum(spikesPerStep)]).toEqual([STEPS, Number(spikes)]);
      }
      expect(eventsOf(a!.layers)).toBe(detail === DETAIL_RASTER ? Number(plain.totalSpikes) : 0);
    }
  });

  it('of layers is stored in the cache beside the plain answer; of a raster it is not', async () => {
    const cacheOf = async (detail: Detail): Promise<[CacheStatus, boolean]> => {
      const { cache, layers } = await system.reason(shipped(detail, { cache: CacheMode.CACHE_MODE_USE }));
      return [cache, layers.length > 0];
    };
    expect(await cacheOf(Detail.DETAIL_SUMMARY)).toEqual([CacheStatus.CACHE_STATUS_MISS, false]);
    expect(await cacheOf(DETAIL_LAYERS)).toEqual([CacheStatus.CACHE_STATUS_MISS, true]);
    expect(await cacheOf(DETAIL_LAYERS)).toEqual([CacheStatus.CACHE_STATUS_HIT, true]);
    expect(await cacheOf(Detail.DETAIL_SUMMARY)).toEqual([CacheStatus.CACHE_STATUS_HIT, false]);
    expect(await cacheOf(DETAIL_RASTER)).toEqual([CacheStatus.CACHE_STATUS_BYPASSED, true]);
    expect(await cacheOf(DETAIL_RASTER)).toEqual([CacheStatus.CACHE_STATUS_BYPASSED, true]);
  });

  it('is that of the answer that won a vote', async () => {
    const sent = shipped(DETAIL_RASTER, { strategy: Strategy.STRATEGY_REDUNDANT });
    const { grade, vote, layers, totalSpikes } = await system.reason(sent);
    expect([grade, vote?.ballots.map(({ outcome }) => outcome)]).toEqual([
      Grade.GRADE_UNANIMOUS,
      [BallotOutcome.BALLOT_OUTCOME_AGREED, BallotOutcome.BALLOT_OUTCOME_AGREED],
    ]);
    expect(eventsOf(layers)).toBe(Number(totalSpikes));
  });

  it('is given for items of a batch and of a stream that request it', async () => {
    const details = [Detail.DETAIL_SUMMARY, DETAIL_LAYERS, DETAIL_RASTER];
    const requests = details.map((detail) => shipped(detail, { requestId: String(detail) }));
    const caller = new StreamCaller(system.client);
    for (const request of requests) caller.send(request);
    caller.end();
    await caller.ended;
    const answers = [...(await callBatch(system.client, requests).results), ...caller.answers].map(({ outcome }) => {
      if (outcome?.$case !== 'result') return outcome;
      const { requestId, layers } = outcome.value;
      return [Number(requestId), layers.length > 0, eventsOf(layers) > 0];
    });
    const expected = details.map((detail) => [detail, detail >= DETAIL_LAYERS, detail === DETAIL_RASTER]);
    expect(answers.slice(0, 3)).toEqual(expected);
    expect(answers.slice(3).sort()).toEqual(expected);
  });

  it('of the readout adds up to the spike counts, from every engine, in a vote and from the cache', async () => {
    const { DETAIL_READOUT } = Detail;
    const plain = await system.reason(shipped(Detail.DETAIL_SUMMARY));
    const [a, b] = await byBoth(DETAIL_READOUT);
    const kept = shipped(DETAIL_READOUT, { cache: CacheMode.CACHE_MODE_USE });
    const others = [await system.reason(kept), await system.reason(kept)];
    others.push(await system.reason(shipped(DETAIL_READOUT, { strategy: Strategy.STRATEGY_REDUNDANT })));
    for (const { readoutPerStep } of [b!, ...others]) expect(readoutPerStep).toEqual(a!.readoutPerStep);
    const outputs = plain.spikeCounts.length;
    expect(a!.readoutPerStep).toHaveLength(STEPS * outputs);
    const counts = plain.spikeCounts.map((_, k) => sum(a!.readoutPerStep.filter((__, at) => at % outputs === k)));
    expect(counts).toEqual(plain.spikeCounts);
    expect([a!.layers, plain.readoutPerStep, a!.stateDigest]).toEqual([[], [], plain.stateDigest]);
  });

  it('always has the potentials of the outputs, exactly equal on both engines', async () => {
    const [a, b] = await byBoth(Detail.DETAIL_SUMMARY);
    expect(a!.potentials).toEqual(b!.potentials);
    expect(a!.potentials).toHaveLength(a!.spikeCounts.length);
    expect(a!.potentials.every((potential) => potential === Math.fround(potential))).toBe(true);
    expect(a!.potentials.some((potential) => potential !== 0)).toBe(true);
  });

  it.each([5, -1, 2_147_483_647])('is refused if it is %d, for that item alone', async (value) => {
    const unknown = shipped(value as Detail);
    const { code, reason, field } = await refusalOf(system.reason(unknown));
    expect([code, reason, field]).toEqual(['INVALID_ARGUMENT', 'INVALID_FIELD', 'detail']);
    const results = await callBatch(system.client, [unknown, shipped(DETAIL_LAYERS)]).results;
    expect(results.map(({ outcome }) => outcome?.$case)).toEqual(['error', 'result']);
  });
});

describe('too much detail', () => {
  const fires = node('IF', { r: 1, v_threshold: 0.5 });
  const folder = new ModelFolder()
    .add('deep', 1, chain(1, 1, { a: fires, b: fires, c: fires }), 'dt: 1\ninput: {kind: series}')
    .add('busy', 1, chain(10, 10, { a: fires }), 'dt: 1\ninput: {kind: series}');
  let system: System;
  beforeAll(async () => {
    const always = { local_first_share: 1, sidecar_first_share: 1, vote: { participants: 2 } };
    system = await startSystem({ spawn: { count: 1 }, models_dir: folder.path, default_model: 'deep', ...always });
  });
  afterAll(async () => {
    await system.stop();
    folder.remove();
  });

  function series(
    model: string,
    steps: number,
    width: number,
    over: Partial<ReasonRequest> = {},
  ): Partial<ReasonRequest> {
    const ones = Buffer.from(new Float32Array(steps * width).fill(1).buffer);
    return {
      model,
      tensor: { shape: [steps, width], dtype: 'FP32', data: ones },
      cache: CacheMode.CACHE_MODE_BYPASS,
      ...over,
    };
  }

  it.each([
    ['the router’s own engine', { strategy: Strategy.STRATEGY_LOCAL_FIRST }],
    ['a sidecar', { strategy: Strategy.STRATEGY_SIDECAR_FIRST }],
    ['a vote', { strategy: Strategy.STRATEGY_REDUNDANT }],
  ])('is refused by %s, which names the limit', async (_, over) => {
    const most = await system.reason(series('deep', 83_333, 1, { ...over, detail: DETAIL_LAYERS }));
    expect(most.layers.map(({ spikes }) => spikes)).toEqual([83_333n, 83_333n, 83_333n]);
    const { code, reason, message } = await refusalOf(
      system.reason(series('deep', 83_334, 1, { ...over, detail: DETAIL_LAYERS })),
    );
    expect([code, reason]).toEqual(['RESOURCE_EXHAUSTED', 'DETAIL_TOO_LARGE']);
    expect(message).toContain('send a series of 83333 steps at most, or request no detail');
  });

  it('of events is left out and counted, equally by both engines', async () => {
    const strategies = [Strategy.STRATEGY_LOCAL_FIRST, Strategy.STRATEGY_SIDECAR_FIRST];
    const answers = await Promise.all(
      strategies.map((strategy) => system.reason(series('busy', 12_345, 10, { strategy, detail: DETAIL_RASTER }))),
    );
    for (const { layers } of answers) {
      const [{ eventSteps, eventNeurons, eventsLeftOut, spikes }] = layers as [LayerActivity];
      expect([eventSteps.length, eventSteps.at(-1), eventNeurons.at(-1)]).toEqual([100_000, 9_999, 9]);
      expect([spikes, eventsLeftOut]).toEqual([123_450n, 23_450n]);
    }
    expect(answers[0]!.layers).toEqual(answers[1]!.layers);
  });

  it('in one batch is refused for the items above the limit; the message stays small enough for clients', async () => {
    const item = series('busy', 10_000, 10, { detail: DETAIL_RASTER });
    const { tensor, ...rest } = item;
    const items = Array.from({ length: 4 }, () => ({ ...rest, tensor }));
    const results = await callBatch(system.client, items).results;
    const outcomes = results.map(({ outcome }) => (outcome?.$case === 'error' ? outcome.value.reason : 'OK'));
    // 210,000 numbers each, of 500,000.
    expect(outcomes.sort()).toEqual(['DETAIL_TOO_LARGE', 'DETAIL_TOO_LARGE', 'OK', 'OK']);
  });
});
