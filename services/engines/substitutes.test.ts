import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { PooledEngine } from './pooled-engine.ts';
import { type FoundEngine, isServing, isUp, substitutes } from './substitutes.ts';

const NOW_MS = 100_000;

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(performance, 'now').mockReturnValue(NOW_MS);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

type Change = (pooled: PooledEngine, fake: FakeEngine) => void;

/** An engine that serves, unless `over` or `change` say otherwise. */
function found(id: string, over: Partial<FoundEngine> = {}, change?: Change): FoundEngine {
  const fake = new FakeEngine(id).up(fakeModel());
  const pooled = new PooledEngine(fake, fakePins, fakeBreaker, () => undefined);
  change?.(pooled, fake);
  return { pooled, misses: 1, lastUpMs: NOW_MS, ...over };
}

const goDown: Change = (_, fake) => fake.down('killed');
const openBreaker = ({ breaker }: PooledEngine): void => breaker.trip('by hand');
const drain = (pooled: PooledEngine): void => void (pooled.isDraining = true);

const ids = (engines: readonly FoundEngine[]): string => engines.map(({ pooled }) => pooled.id).join(' ');

describe('substitutes', () => {
  it('keeps the engines that are up, and those that were within 30 s', () => {
    const missing = [
      found('a', { lastUpMs: -Infinity }),
      found('b', { lastUpMs: NOW_MS - 29_999 }, goDown),
      found('c', { lastUpMs: NOW_MS - 30_000 }, goDown),
      found('d', { lastUpMs: -Infinity }, goDown),
    ];
    expect(ids(substitutes(missing, Infinity))).toBe('a b');
  });

  it('prefers engines that serve, then those that are up, then those missed less often', () => {
    const missing = [
      found('down', { misses: 1 }, goDown),
      found('open', { misses: 2 }, openBreaker),
      found('drained', { misses: 1 }, drain),
      found('older', { misses: 4 }),
      found('newer', { misses: 3 }),
    ];
    expect(ids(substitutes(missing, Infinity))).toBe('newer older drained open down');
    expect(ids(substitutes(missing, 3))).toBe('newer older drained');
    expect(substitutes(missing, 0)).toEqual([]);
  });
});

describe('isServing', () => {
  it.each<[string, boolean, boolean, Change]>([
    ['is ready', true, true, () => undefined],
    ['has an open breaker', false, true, openBreaker],
    ['is drained', false, true, drain],
    ['is down', false, false, goDown],
  ])('of an engine that %s is %s, and isUp is %s', (_, serves, up, change) => {
    const engine = found('e', {}, change);
    expect([isServing(engine.pooled), isUp(engine)]).toEqual([serves, up]);
  });
});
