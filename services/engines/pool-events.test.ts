// What an engine's own changes, the settings and the repository do to the pool.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';

let nowMs: number;
let changes: string[];
let inRepository: string[];
let pool: EnginePool;
let fake: FakeEngine;
let engine: PooledEngine;

beforeEach(() => {
  jest.useFakeTimers();
  nowMs = 5;
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  changes = [];
  inRepository = ['m'];
  const find: typeof fakePins.find = (name, version) =>
    inRepository.includes(name) ? fakePins.find(name, version) : undefined;
  const note = (what: string): void => void changes.push(what);
  pool = new EnginePool({ find }, fakeBreaker, {
    engineChanged: ({ id, state }) => note(`${id} ${state}`),
    roomFreed: () => note('room'),
  });
  fake = new FakeEngine('e');
  engine = pool.add(fake);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('an engine that is added', () => {
  it('is reported at once if it is up already, and else when it comes up', () => {
    expect(changes).toEqual([]);
    fake.up(fakeModel());
    pool.add(new FakeEngine('f').up(fakeModel()));
    expect(changes).toEqual(['e READY', 'f READY']);
  });

  it('is a duplicate at once if it is the process of another', () => {
    const [first, second] = ['f', 'g'].map((id) => new FakeEngine(id));
    for (const each of [first!, second!]) each.instanceId = 'f0';
    pool.add(first!.up(fakeModel()));
    expect(pool.add(second!.up(fakeModel())).state).toBe('DUPLICATE');
  });

  it('has the limit that it declares, from its first description on', () => {
    const declared = new FakeEngine('f');
    declared.maxInFlight = 2;
    expect([pool.add(declared.up(fakeModel())).availableSlots, engine.availableSlots]).toEqual([2, 64]);
  });

  it('has the limit of its newest description', () => {
    fake.maxInFlight = 3;
    fake.up(fakeModel());
    expect(engine.availableSlots).toBe(3);
    fake.down('killed');
    expect([engine.limit.hasCapacity(4), engine.limit.hasCapacity(3)]).toEqual([false, true]);
  });
});

describe('readySinceMs', () => {
  it('is the time when the engine last came up, whatever it describes later', () => {
    expect(engine.readySinceMs).toBe(-Infinity);
    fake.up(fakeModel());
    nowMs = 9;
    fake.up(fakeModel(), fakeModel({ name: 'n' }));
    expect(engine.readySinceMs).toBe(5);
    fake.down('killed');
    expect(engine.readySinceMs).toBe(5);
    fake.up(fakeModel());
    expect(engine.readySinceMs).toBe(9);
  });

  it('does not count for the engines of a pool that settles', () => {
    fake.up(fakeModel());
    pool.settle();
    expect(engine.readySinceMs).toBe(-Infinity);
  });
});

describe('an engine that goes down', () => {
  it('keeps the build of its last description', () => {
    expect(engine.build).toBe('');
    fake.up(fakeModel());
    fake.down('killed');
    expect(engine.build).toBe('build of e');
  });

  it('opens its breaker once, whatever happens while it is down', () => {
    fake.up(fakeModel());
    fake.down('killed');
    jest.advanceTimersByTime(500);
    fake.down('still away');
    expect(engine.breaker.events.map(({ state }) => state)).toEqual(['OPEN', 'HALF_OPEN']);
  });
});

describe('a removed engine', () => {
  it('drains, and its breaker leaves no timer', () => {
    const before = jest.getTimerCount();
    pool.remove('e');
    expect([engine.state, jest.getTimerCount()]).toEqual(['DRAINING', before - 1]);
  });
});

describe('a request that has ended', () => {
  it('frees room', async () => {
    fake.up(fakeModel());
    changes = [];
    const signal = new AbortController().signal;
    await engine.infer(
      { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) },
      { deadlineMs: Infinity, signal },
    );
    expect(changes).toEqual(['room']);
  });
});

describe('a model that leaves the repository', () => {
  it('is not served any more, and comes back with it', () => {
    fake.up(fakeModel());
    inRepository = [];
    pool.pinsChanged();
    expect([pool.served('m', 1), pool.pinned('m', 1), engine.models]).toEqual([undefined, undefined, []]);
    expect([engine.state, engine.unavailableReason]).toEqual(['READY', '']);
    inRepository = ['m'];
    pool.pinsChanged();
    expect([pool.holders('m', 1), pool.pinned('m', 1)?.name]).toEqual([[engine], 'm']);
  });

  it('is no change of an engine that stays usable', () => {
    fake.up(fakeModel());
    changes = [];
    pool.pinsChanged();
    expect(changes).toEqual([]);
  });
});

describe('the gate', () => {
  it('holds back a model until it is checked, and says so', () => {
    let isChecked = false;
    pool.gate = (each, { name }) => isChecked && each === engine && name === 'm';
    fake.up(fakeModel());
    expect([engine.unavailableReason, pool.holders('m', 1)]).toEqual([
      'unusable: the models that it holds are being checked',
      [],
    ]);
    isChecked = true;
    pool.pinsChanged();
    expect([engine.unavailableReason, pool.holders('m', 1)]).toEqual(['', [engine]]);
    expect(changes).toEqual(['e UNUSABLE', 'e READY']);
  });

  it('does not hide why an engine has no usable model', () => {
    pool.gate = () => false;
    fake.up(fakeModel({ modelId: 8n }));
    expect(engine.unavailableReason).toMatch(/^unusable: m\/1: it holds other weights/);
  });
});
