// When a quarantine does not begin, ends early, or is over before its test.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import type { Inference } from '../core/inference.ts';
import type { KnownAnswer } from './known-answers.ts';
import type { ModelPins } from './model-pins.ts';
import { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';
import { Quarantine } from './quarantine.ts';

const OPTIONS = { dissents: 3, windowMs: 60_000, sitOutMs: 1_000, sitOutMaxMs: 8_000 };
const WRONG = fakeInference({ stateDigest: 666n });

let held: string[];
let pool: EnginePool;
let fake: FakeEngine;
let engine: PooledEngine;
let quarantine: Quarantine;

beforeEach(() => {
  jest.useFakeTimers();
  held = ['m', 'n'];
  const pins: ModelPins = { find: (name, version) => (held.includes(name) ? fakePins.find(name, version) : undefined) };
  pool = new EnginePool(pins, fakeBreaker);
  fake = new FakeEngine('e').up(fakeModel(), fakeModel({ name: 'n' }));
  fake.behaviour = ({ data }) => Promise.resolve(fakeInference({ stateDigest: BigInt(data[0]!) }));
  engine = pool.add(fake);
  quarantine = new Quarantine(pool, OPTIONS, () => [disputed(1)]);
});

afterEach(() => {
  quarantine.stop();
  jest.useRealTimers();
});

/** An input that begins with `first`, whose right digest is `first`. */
const disputed = (first: number, model = 'm'): KnownAnswer => ({
  input: { model, version: 1, shape: [3], data: Buffer.alloc(12, first) },
  stateDigest: BigInt(first),
});

const dissent = (times: number): void => {
  for (let n = 1; n <= times; n += 1) quarantine.dissented(engine, undefined);
};

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** First bytes of the inputs that the engine got. */
const inputs = (): number[] => [...new Set(fake.calls.map(({ input }) => input.data[0]!))].sort((a, b) => a - b);

/** The milliseconds after which the engine is ready again. */
async function pauseMs(): Promise<number> {
  const sinceMs = performance.now();
  while (engine.state === 'QUARANTINED') await pass(500);
  return performance.now() - sinceMs;
}

/** The engine answers its next input when the result is called. */
function holdsAnswer(): (answer: Inference) => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Inference>();
  fake.behaviour = () => promise;
  return async (answer) => {
    resolve(answer);
    await pass(0);
  };
}

describe('the pause of a quarantine', () => {
  it('is the first one again after a window without a wrong answer', async () => {
    dissent(3);
    expect(await pauseMs()).toBe(1_000);
    await pass(58_500);
    dissent(3);
    expect(await pauseMs()).toBe(2_000);
    await pass(58_000);
    dissent(3);
    expect(await pauseMs()).toBe(1_000);
  });

  it('is the first one again after a window in which a suspect was not wrong', async () => {
    for (const expected of [1_000, 1_000]) {
      const answer = fake.behaviour;
      fake.behaviour = () => Promise.resolve(WRONG);
      quarantine.suspect(engine);
      await pass(0);
      fake.behaviour = answer;
      expect(await pauseMs()).toBe(expected);
      await pass(60_000);
    }
  });

  it('is the first one again after an operator readmitted it', async () => {
    dissent(3);
    quarantine.readmit(engine);
    dissent(3);
    expect(await pauseMs()).toBe(1_000);
  });

  it('has the length of the new settings at the next quarantine', async () => {
    dissent(3);
    quarantine.configure({ ...OPTIONS, dissents: 1, sitOutMs: 4_000 });
    expect(await pauseMs()).toBe(1_000);
    await pass(60_000);
    dissent(1);
    expect(await pauseMs()).toBe(4_000);
  });
});

describe('the test of a quarantined engine', () => {
  it('has its four newest disputed inputs, and no input of an unloaded model', async () => {
    for (const first of [2, 3, 4, 5, 6]) quarantine.dissented(engine, disputed(first));
    quarantine.dissented(engine, disputed(7, 'n'));
    held = ['m'];
    pool.pinsChanged();
    await pass(1_000);
    expect([inputs(), engine.state]).toEqual([[1, 4, 5, 6], 'READY']);
  });

  it('has a disputed input as it was, though its memory is used again', async () => {
    const { input, stateDigest } = disputed(9);
    const data = Buffer.from(input.data);
    quarantine.dissented(engine, { input: { ...input, data }, stateDigest });
    data.fill(0);
    dissent(2);
    await pass(1_000);
    expect(inputs()).toEqual([1, 9]);
  });

  it('decides nothing if an operator has readmitted the engine meanwhile', async () => {
    dissent(3);
    const answer = holdsAnswer();
    await pass(1_000);
    quarantine.readmit(engine);
    await answer(WRONG);
    expect([engine.state, fake.calls.length]).toEqual(['READY', 1]);
  });

  it('decides nothing if an operator has removed the engine meanwhile', async () => {
    dissent(3);
    const answer = holdsAnswer();
    await pass(1_000);
    pool.remove('e');
    await answer(fakeInference({ stateDigest: 1n }));
    expect([engine.quarantine === '', fake.calls.length]).toEqual([false, 1]);
  });

  it.each<[string, () => unknown]>([
    ['is removed', () => pool.remove('e')],
    ['is readmitted', () => quarantine.readmit(engine)],
    ['is in a router that stops', () => quarantine.stop()],
  ])('does not take place if the engine %s', async (_, end) => {
    dissent(3);
    end();
    await pass(10_000);
    expect(fake.calls).toEqual([]);
  });
});

describe('a suspect', () => {
  it('is not tested if it is quarantined already, or if the router stops', async () => {
    dissent(3);
    quarantine.suspect(engine);
    quarantine.readmit(engine);
    quarantine.stop();
    quarantine.suspect(engine);
    await pass(0);
    expect(fake.calls).toEqual([]);
  });

  it('is not quarantined if it was removed before it answered wrongly', async () => {
    const answer = holdsAnswer();
    quarantine.suspect(engine);
    pool.remove('e');
    await answer(WRONG);
    expect([engine.quarantine, fake.calls.length]).toEqual(['', 1]);
  });

  it('keeps the reason of a quarantine that began during its test', async () => {
    const answer = holdsAnswer();
    quarantine.suspect(engine);
    quarantine.distrust(engine, 'its answer was impossible');
    await answer(WRONG);
    expect(engine.quarantine).toMatch(/^its answer was impossible; it is tried/);
  });
});

describe('an engine that is distrusted', () => {
  it('is quarantined at once, for the first reason', async () => {
    quarantine.distrust(engine, 'its answer was impossible');
    quarantine.distrust(engine, 'another reason');
    expect(engine.quarantine).toBe('its answer was impossible; it is tried with known inputs after 1000 ms');
    expect(await pauseMs()).toBe(1_000);
  });

  it('stays ready in a router that stops', () => {
    quarantine.stop();
    quarantine.distrust(engine, 'its answer was impossible');
    expect(engine.state).toBe('READY');
  });

  it('needs as many dissents as before after it was readmitted', () => {
    dissent(3);
    quarantine.readmit(engine);
    dissent(2);
    expect(engine.state).toBe('READY');
    dissent(1);
    expect(engine.state).toBe('QUARANTINED');
  });
});
