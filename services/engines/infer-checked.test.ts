import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins, fakePinsOf } from '../../test/fakes/fake-engine.ts';
import { Call } from '../core/call.ts';
import type { CallContext, Inference, InferenceInput, InferenceListener } from '../core/inference.ts';
import { RouterError } from '../core/errors.ts';
import { inferChecked, inferEachChecked } from './infer-checked.ts';
import type { ModelPins } from './model-pins.ts';

const MINUTE_MS = 60_000;
const INPUT: InferenceInput = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };

/** An answer to a request that began a minute ago. The engine says what is in `over`. */
function answer(over: Partial<Inference>): Promise<Inference> {
  const engine = new FakeEngine('a').up(fakeModel());
  engine.behaviour = () => Promise.resolve(fakeInference(over));
  return inferChecked(engine, fakePins, INPUT, new Call(Infinity), performance.now() - MINUTE_MS);
}

describe('inferChecked', () => {
  it('keeps an engine’s times that can be true', async () => {
    expect(await answer({ computeUs: 30_000_000, queueUs: 29_000_000 })).toMatchObject({
      computeUs: 30_000_000,
      queueUs: 29_000_000,
    });
  });

  it('shortens the queue time so that both times together are at most the time that has passed', async () => {
    const { computeUs, queueUs } = await answer({ computeUs: 40_000_000, queueUs: 50_000_000 });
    expect(computeUs).toBe(40_000_000);
    expect(queueUs).toBeGreaterThanOrEqual(20_000_000);
    expect(queueUs).toBeLessThan(30_000_000);
  });

  it('limits the computing time to the time that has passed, and leaves nothing for the queue', async () => {
    const { computeUs, queueUs } = await answer({ computeUs: 4_000_000_000, queueUs: 5 });
    expect(computeUs).toBeGreaterThanOrEqual(60_000_000);
    expect(computeUs).toBeLessThan(4_000_000_000);
    expect(queueUs).toBe(0);
  });

  it('adds the readout digest that an engine left out', async () => {
    const { readoutDigest } = await answer({});
    expect(await answer({ readoutDigest: 0n })).toMatchObject({ readoutDigest });
  });
});

describe('a model that the router cannot use', () => {
  it.each<[string, string, ModelPins]>([
    ['UNKNOWN_MODEL', 'its repository lacks', { find: () => undefined }],
    ['MODEL_INVALID', 'is damaged', fakePinsOf({ error: 'its file is damaged' })],
  ])('is refused with %s if it %s, and no engine is asked', async (kind, _, pins) => {
    const engine = new FakeEngine('a').up(fakeModel());
    await expect(inferChecked(engine, pins, INPUT, new Call(Infinity))).rejects.toMatchObject({ kind });
    expect(each(engine, [INPUT, INPUT], pins)).toEqual([`0 ${kind}`, `1 ${kind}`]);
    expect(engine.calls).toEqual([]);
  });
});

/** What a listener is told at once of a group. */
function each(engine: FakeEngine, inputs: InferenceInput[], pins = fakePins, startedMs = performance.now()): string[] {
  const results: string[] = [];
  inferEachChecked(engine, pins, inputs, new Call(Infinity), startedMs, {
    answered: (index, { computeUs }) => results.push(`${index} took ${computeUs} us`),
    failed: (index, { kind, metadata }) => results.push([index, kind, metadata['malformed']].join(' ').trim()),
  });
  return results;
}

describe('inferEachChecked', () => {
  const other = { ...INPUT, data: Buffer.alloc(12, 1) };
  let engine: FakeEngine;

  beforeEach(() => {
    engine = new FakeEngine('a').up(fakeModel());
  });

  /** The engine takes groups, and `reply` answers them. */
  function takesGroups(reply: (listener: InferenceListener) => void): void {
    Object.assign(engine, {
      inferEach: (_: readonly InferenceInput[], __: CallContext, listener: InferenceListener) => reply(listener),
    });
  }

  it('asks an engine that takes groups once, and checks each answer', () => {
    takesGroups((listener) => {
      listener.answered(1, fakeInference({ computeUs: 7 }));
      listener.answered(0, fakeInference({ steps: 3 }));
      listener.answered(2, { ...fakeInference(), spikeCounts: undefined as never });
    });
    expect(each(engine, [INPUT, other, INPUT])).toEqual([
      '1 took 7 us',
      '0 ENGINE_FAULT a different number of steps',
      '2 ENGINE_FAULT a value of another type',
    ]);
    expect(engine.calls).toEqual([]);
  });

  it('limits the times of each answer', () => {
    takesGroups((listener) => listener.answered(0, fakeInference({ computeUs: 4_000_000_000 })));
    const [results] = each(engine, [INPUT], fakePins, performance.now() - MINUTE_MS);
    expect(results).toMatch(/^0 took 6\d{7} us$/);
  });

  it('checks each refusal', () => {
    takesGroups((listener) => {
      listener.failed(0, new RouterError('ENGINE_FULL', 'no room'));
      listener.failed(1, new RouterError('VOTE_DISPUTED', 'no engine may say that'));
    });
    expect(each(engine, [INPUT, other])).toEqual(['0 ENGINE_FULL', '1 ENGINE_FAULT a refusal that no engine may give']);
  });

  it('asks an engine that takes no groups for each input', async () => {
    engine.behaviour = ({ data }) =>
      data[0] === 1 ? Promise.reject(new Error('oh')) : Promise.resolve(fakeInference({ computeUs: 7 }));
    const results = each(engine, [INPUT, other]);
    await new Promise(setImmediate);
    expect(results).toEqual(['0 took 7 us', '1 ENGINE_FAULT']);
    expect(engine.calls.map(({ input }) => input)).toEqual([INPUT, other]);
  });
});
