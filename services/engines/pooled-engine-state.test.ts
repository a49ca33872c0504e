import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { PooledEngine } from './pooled-engine.ts';

let fake: FakeEngine;
let engine: PooledEngine;

beforeEach(() => {
  jest.useFakeTimers();
  fake = new FakeEngine('e').up(fakeModel());
  engine = new PooledEngine(fake, fakePins, fakeBreaker, () => undefined);
});

afterEach(() => {
  engine.breaker.stop();
  jest.useRealTimers();
});

const CHANGES: Readonly<Record<string, () => void>> = {
  drained: () => (engine.isDraining = true),
  lost: () => fake.down('killed'),
  'a duplicate': () => (engine.duplicateOf = 'first'),
  quarantined: () => (engine.quarantine = 'it lies'),
  'without a model': () => (engine.unusable = 'it holds no model'),
  tripped: () => engine.breaker.trip('by hand'),
};

const seen = (): unknown[] => [engine.state, engine.unavailableReason, engine.isAvailable];

describe('an engine', () => {
  it('is available if nothing is against it', () => {
    expect(seen()).toEqual(['READY', '', true]);
  });

  it.each([
    ['tripped', 'READY', 'breaker open'],
    ['without a model', 'UNUSABLE', 'unusable: it holds no model'],
    ['quarantined', 'QUARANTINED', 'quarantined: it lies'],
    ['a duplicate', 'DUPLICATE', 'same process as first'],
    ['lost', 'DOWN', 'down: killed'],
    ['drained', 'DRAINING', 'draining'],
  ])('that is %s is %s, and says so, whatever else is against it', (what, state, reason) => {
    CHANGES[what]!();
    expect(seen()).toEqual([state, reason, false]);
    const names = Object.keys(CHANGES);
    for (const less of names.slice(names.indexOf(what))) CHANGES[less]!();
    expect(seen()).toEqual([state, reason, false]);
  });

  it('with a half-open breaker is available until one request tries', () => {
    engine.breaker.trip('by hand');
    jest.advanceTimersByTime(500);
    expect([...seen(), engine.takesGroups]).toEqual(['READY', '', true, false]);
    engine.breaker.begin();
    expect(seen()).toEqual(['READY', 'breaker half-open', false]);
  });

  it('is available in a panic in spite of its breaker, but not if it is drained', () => {
    engine.breaker.trip('by hand');
    engine.isPanicking = true;
    expect([...seen(), engine.takesGroups]).toEqual(['READY', '', true, false]);
    engine.isDraining = true;
    expect(engine.isAvailable).toBe(false);
  });

  it('takes groups while its breaker is closed', () => {
    expect(engine.takesGroups).toBe(true);
  });

  it('has as many free slots as its limit exceeds its unanswered requests', () => {
    fake.inFlight = 3;
    expect([engine.inFlight, engine.availableSlots, engine.id, engine.kind]).toEqual([3, 61, 'e', 'sidecar']);
  });
});
