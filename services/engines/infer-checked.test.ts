import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { Call } from '../core/call.ts';
import type { Inference, InferenceInput } from '../core/inference.ts';
import { inferChecked } from './infer-checked.ts';

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
