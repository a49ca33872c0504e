import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import type { Inference } from '../core/inference.ts';
import { detailDigest } from './detail-digest.ts';
import { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';
import type { KnownAnswer } from './known-answers.ts';
import { Quarantine } from './quarantine.ts';
import { readoutDigest } from './readout-digest.ts';

const options = { dissents: 3, windowMs: 60_000, sitOutMs: 1_000, sitOutMaxMs: 4_000 };

let pool: EnginePool;
let fake: FakeEngine;
let engine: PooledEngine;
let quarantine: Quarantine;
let putOut: string[];

beforeEach(() => {
  jest.useFakeTimers();
  pool = new EnginePool(fakePins, fakeBreaker);
  fake = new FakeEngine('a').up(fakeModel());
  engine = pool.add(fake);
  putOut = [];
  quarantine = new Quarantine(
    pool,
    options,
    () => [known(7)],
    ({ id }) => putOut.push(id),
  );
});

afterEach(() => {
  quarantine.stop();
  jest.useRealTimers();
});

/** The input that starts with `first`, whose right digest is `first`. */
function known(first: number): KnownAnswer {
  const data = Buffer.from([first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  return { input: { model: 'm', version: 1, shape: [3], data }, stateDigest: BigInt(first) };
}

function answersRight(): void {
  fake.behaviour = ({ data }) => Promise.resolve(fakeInference({ stateDigest: BigInt(data[0] ?? 0) }));
}

function answersWrong(): void {
  fake.behaviour = () => Promise.resolve(fakeInference({ stateDigest: 666n }));
}

function dissent(times: number): void {
  for (let n = 0; n < times; n += 1) quarantine.dissented(engine, known(10 + n));
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('an engine that dissents', () => {
  it('stays ready after few dissents', () => {
    dissent(2);
    expect(engine.state).toBe('READY');
  });

  it('is quarantined after too many dissents, with the reason', () => {
    dissent(3);
    expect([engine.state, engine.isAvailable]).toEqual(['QUARANTINED', false]);
    expect(engine.unavailableReason).toBe(
      'quarantined: it contradicted the majority 3 times, or its answers were malformed; it is tried with known inputs after 1000 ms',
    );
  });

  it('is reported once when it is quarantined', async () => {
    answersWrong();
    dissent(4);
    await pass(3_000); // Two failed readmission checks.
    expect(putOut).toEqual(['a']);
  });

  it('is quarantined even if the right answer is unknown', async () => {
    for (let n = 0; n < 3; n += 1) quarantine.dissented(engine, undefined);
    expect(engine.state).toBe('QUARANTINED');
    answersRight();
    await pass(1_000);
    expect([engine.state, fake.calls.length]).toEqual(['READY', 2]); // only the golden vector, with digestOnly and without
  });

  it('is not quarantined for dissents older than the window', async () => {
    dissent(2);
    await pass(60_000);
    dissent(2);
    expect(engine.state).toBe('READY');
  });
});

describe('a quarantined engine', () => {
  beforeEach(() => dissent(3));

  it('is readmitted if it answers all known inputs, including disputed ones', async () => {
    answersRight();
    await pass(999);
    expect([engine.state, fake.calls.length]).toEqual(['QUARANTINED', 0]);
    await pass(1);
    expect(engine.state).toBe('READY');
    const calls = fake.calls.map(({ input }) => `${input.data[0]} ${input.digestOnly ? 'digests' : 'in full'}`);
    expect(calls.sort()).toEqual([7, 10, 11, 12].flatMap((n) => [`${n} digests`, `${n} in full`]).sort());
  });

  it('gets the known inputs in random order', async () => {
    const orders = new Set<string>();
    fake.behaviour = ({ data }) => Promise.resolve(fakeInference({ stateDigest: BigInt(data[0] ?? 0) }));
    for (let n = 0; n < 20; n += 1) {
      await pass(4_000);
      orders.add(
        fake.calls
          .splice(0)
          .map(({ input }) => `${input.data[0]} ${input.digestOnly}`)
          .join(),
      );
      dissent(3);
    }
    expect(orders.size).toBeGreaterThan(10);
  });

  it.each([true, false])('stays quarantined if it lies only with digestOnly %s', async (isLied) => {
    fake.behaviour = ({ data, digestOnly }) =>
      Promise.resolve(fakeInference({ stateDigest: digestOnly === isLied ? 666n : BigInt(data[0] ?? 0) }));
    await pass(1_000);
    expect(engine.unavailableReason).toMatch(/it got known input \d of 4 wrong/);
  });

  it('is checked again after growing pauses while it fails', async () => {
    answersWrong();
    for (const pauseMs of [1_000, 2_000, 4_000, 4_000]) {
      const { length } = fake.calls;
      await pass(pauseMs - 1);
      expect(fake.calls).toHaveLength(length);
      await pass(1);
      expect(fake.calls).toHaveLength(length + 1);
    }
    expect(engine.unavailableReason).toMatch(/it got known input \d of 4 wrong/);
  });

  it('starts with a longer pause if it is quarantined again soon', async () => {
    answersRight();
    await pass(1_000);
    dissent(3);
    await pass(1_999);
    expect(engine.state).toBe('QUARANTINED');
    await pass(1);
    expect(engine.state).toBe('READY');
  });

  it('stays quarantined if its values do not match its digest', async () => {
    quarantine.dissented(engine, { ...known(20), readoutDigest: readoutDigest(fakeInference()) });
    fake.behaviour = ({ data }) =>
      Promise.resolve(fakeInference({ stateDigest: BigInt(data[0] ?? 0), spikeCounts: [3, 2] }));
    await pass(1_000);
    expect(engine.unavailableReason).toContain('it got known input 5 of 5 wrong');
  });

  it('stays quarantined if it falsifies the layers of a disputed input', async () => {
    const quiet = Array<number>(14).fill(0);
    const layer = { node: 'lif', neurons: 4, spikes: 4, eventSteps: [], eventNeurons: [], eventsLeftOut: 0 };
    const right = [{ ...layer, spikesPerStep: [3, 1, ...quiet] }];
    const { input, ...digests } = known(20);
    quarantine.dissented(engine, {
      input: { ...input, detail: 'LAYERS' },
      ...digests,
      detailDigest: detailDigest({ layers: right }),
    });
    fake.behaviour = ({ data, detail }) => {
      const stateDigest = BigInt(data[0] ?? 0);
      const layers = [{ ...layer, spikesPerStep: [1, 3, ...quiet] }];
      return Promise.resolve(fakeInference(detail === 'LAYERS' ? { stateDigest, layers } : { stateDigest }));
    };
    await pass(1_000);
    expect(engine.unavailableReason).toContain('it got known input 5 of 5 wrong');
  });

  it('stays quarantined if it cannot answer', async () => {
    fake.behaviour = () => Promise.reject(new Error('no'));
    await pass(1_000);
    expect(engine.unavailableReason).toMatch(/it could not answer known input \d: engine "a" failed: no/);
  });

  it('is ready at once if an operator readmits it', async () => {
    quarantine.readmit(engine);
    expect(engine.state).toBe('READY');
    await pass(10_000);
    expect(fake.calls).toHaveLength(0);
  });

  it('runs one check at a time, even if readmitted and quarantined again', async () => {
    const ends: (() => void)[] = [];
    fake.behaviour = () => new Promise((resolve) => ends.push(() => resolve(fakeInference({ stateDigest: 666n }))));
    await pass(1_000);
    quarantine.readmit(engine);
    dissent(3);
    await pass(4_000);
    expect(ends).toHaveLength(1);
    ends[0]!();
    await pass(0);
    expect([ends.length, engine.unavailableReason]).toEqual([
      2,
      expect.stringContaining('it contradicted the majority'),
    ]);
  });
});

describe('a duplicate of a quarantined engine', () => {
  const right: FakeEngine['behaviour'] = ({ data }) =>
    Promise.resolve(fakeInference({ stateDigest: BigInt(data[0] ?? 0) }));
  let twin: FakeEngine;
  let twinEngine: PooledEngine;

  beforeEach(() => {
    fake.instanceId = 'f0';
    fake.up(fakeModel());
    twin = new FakeEngine('twin');
    twin.instanceId = 'f0';
    twinEngine = pool.add(twin.up(fakeModel()));
    expect(twinEngine.state).toBe('DUPLICATE');
    dissent(3);
  });

  it('is quarantined with it, with the reason', () => {
    expect([engine.state, twinEngine.state]).toEqual(['QUARANTINED', 'QUARANTINED']);
    expect(twinEngine.unavailableReason).toContain(
      'it is the same process as a, and it contradicted the majority 3 times',
    );
  });

  it('is checked on its own', async () => {
    answersWrong();
    twin.behaviour = right;
    await pass(1_000);
    expect([engine.state, twinEngine.state]).toEqual(['QUARANTINED', 'READY']);
  });

  it('stays quarantined if that engine is removed', async () => {
    twin.behaviour = () => Promise.resolve(fakeInference({ stateDigest: 666n }));
    pool.remove('a');
    expect(twinEngine.state).toBe('QUARANTINED');
    await pass(1_000);
    expect(twinEngine.state).toBe('QUARANTINED');
  });
});

describe('an engine whose imitator is quarantined', () => {
  it('stays ready, since it is not the duplicate', () => {
    fake.instanceId = 'f0';
    fake.up(fakeModel());
    pool.settle();
    const imitator = new FakeEngine('imitator');
    imitator.instanceId = 'f0';
    const pooled = pool.add(imitator.up(fakeModel()));
    for (let n = 0; n < 3; n += 1) quarantine.dissented(pooled, undefined);
    expect([pooled.state, engine.state]).toEqual(['QUARANTINED', 'READY']);
  });
});

describe('a suspect', () => {
  it('is checked at once and stays ready if it passes', async () => {
    answersRight();
    quarantine.suspect(engine);
    await pass(0);
    expect([engine.state, fake.calls.map(({ input }) => input.data[0])]).toEqual(['READY', [7, 7]]);
  });

  it.each<[string, () => Promise<Inference>, string]>([
    [
      'answers one wrongly',
      () => Promise.resolve(fakeInference({ stateDigest: 666n })),
      'it got known input 1 of 1 wrong',
    ],
    ['refuses one', () => Promise.reject(new RouterError('NON_FINITE', 'no')), 'it could not answer known input 1'],
    [
      'gives a malformed answer',
      () => Promise.reject(new RouterError('ENGINE_FAULT', 'short', { metadata: { malformed: 'short' } })),
      'it could not answer known input 1: short',
    ],
  ])('is quarantined if it %s', async (_name, behaviour, why) => {
    fake.behaviour = behaviour;
    quarantine.suspect(engine);
    await pass(0);
    expect(engine.unavailableReason).toContain(why);
  });

  it('is not quarantined for a failure that proves nothing', async () => {
    fake.behaviour = () => Promise.reject(new RouterError('ENGINE_FULL', 'full'));
    quarantine.suspect(engine);
    await pass(0);
    expect(engine.state).toBe('READY');
  });

  it('is checked once at a time, and once in five seconds', async () => {
    answersRight();
    for (let n = 0; n < 10; n += 1) quarantine.suspect(engine);
    await pass(4_999);
    quarantine.suspect(engine);
    await pass(0);
    expect(fake.calls).toHaveLength(2); // one known input, with digestOnly and without
    await pass(1);
    quarantine.suspect(engine);
    expect(fake.calls).toHaveLength(3);
  });

  it('runs one check at a time, even if quarantined meanwhile', async () => {
    const ends: (() => void)[] = [];
    fake.behaviour = () => new Promise((resolve) => ends.push(() => resolve(fakeInference({ stateDigest: 7n }))));
    quarantine.suspect(engine);
    dissent(3);
    await pass(1_000);
    expect(ends).toHaveLength(1);
    ends[0]!();
    await pass(0);
    expect(ends).toHaveLength(2);
  });

  it('is checked again after its pause', async () => {
    answersWrong();
    quarantine.suspect(engine);
    await pass(0);
    expect(engine.state).toBe('QUARANTINED');
    answersRight();
    await pass(1_000);
    expect(engine.state).toBe('READY');
  });
});
