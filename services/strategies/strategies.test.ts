import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { STRATEGIES, type StrategyName } from './registry.ts';
import type { EngineView } from './strategy.ts';

const local: EngineView = { id: 'local', kind: 'local' };
const sidecars: EngineView[] = [1, 2, 3].map((n) => ({ id: `engine-${n}`, kind: 'sidecar' }));

function firstChoices(
  name: StrategyName,
  engines: EngineView[],
  requests: number,
  localShare = 0.8,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (let turn = 0; turn < requests; turn += 1) {
    const first = STRATEGIES[name]({ engines, turn, localShare })[0];
    if (first) counts.set(first.id, (counts.get(first.id) ?? 0) + 1);
  }
  return counts;
}

describe('every strategy', () => {
  it('asks every engine exactly once, whatever the pool and the turn', () => {
    const pool = fc.uniqueArray(fc.constantFrom(local, ...sidecars), { minLength: 1 });
    const names = fc.constantFrom(...(Object.keys(STRATEGIES) as StrategyName[]));
    fc.assert(
      fc.property(
        names,
        pool,
        fc.nat(1e9),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, engines, turn, localShare) => {
          const plan = STRATEGIES[name]({ engines, turn, localShare });
          expect([...plan].sort((a, b) => a.id.localeCompare(b.id))).toEqual(
            [...engines].sort((a, b) => a.id.localeCompare(b.id)),
          );
        },
      ),
    );
  });
});

describe('ROUND_ROBIN', () => {
  it('gives each of two engines 500 of 1,000 requests', () => {
    const counts = firstChoices('ROUND_ROBIN', sidecars.slice(0, 2), 1_000);
    expect([...counts.values()]).toEqual([500, 500]);
  });
});

describe('LOCAL_FIRST', () => {
  it('gives the local engine 800 of 1,000 requests and the sidecars an equal share of the rest', () => {
    const counts = firstChoices('LOCAL_FIRST', [local, ...sidecars.slice(0, 2)], 1_000);
    expect(Object.fromEntries(counts)).toEqual({ local: 800, 'engine-1': 100, 'engine-2': 100 });
  });

  it('spreads the sidecars’ turns evenly', () => {
    const firsts = [...Array(10).keys()].map(
      (turn) => STRATEGIES.LOCAL_FIRST({ engines: [local, ...sidecars], turn, localShare: 0.8 })[0]?.kind,
    );
    expect(firsts.lastIndexOf('sidecar') - firsts.indexOf('sidecar')).toBe(5);
  });

  it.each([0, 1])('obeys a share of %d', (localShare) => {
    expect(firstChoices('LOCAL_FIRST', [local, ...sidecars], 100, localShare).get('local') ?? 0).toBe(localShare * 100);
  });

  it('uses the sidecars alone where there is no local engine', () => {
    expect(firstChoices('LOCAL_FIRST', sidecars, 999).get('engine-1')).toBeGreaterThan(0);
  });
});
