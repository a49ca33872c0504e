import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { STRATEGIES, type StrategyName, VOTING } from './registry.ts';
import type { EngineView, StrategyInput } from './strategy.ts';

function engine(id: string, over: Partial<EngineView> = {}): EngineView {
  return { id, kind: 'sidecar', expectedMs: 1, idleMs: 0, isFailing: false, inFlight: 0, ...over };
}

const local = engine('local', { kind: 'local' });
const sidecars = [1, 2, 3].map((n) => engine(`engine-${n}`));

function input(
  engines: readonly EngineView[],
  over: Partial<StrategyInput<EngineView>> = {},
): StrategyInput<EngineView> {
  return {
    engines,
    turn: 0,
    localFirstShare: 0.8,
    sidecarFirstShare: 0.8,
    random: () => 0,
    questionHash: () => 0n,
    ...over,
  };
}

function plans(
  name: StrategyName,
  engines: readonly EngineView[],
  requests: number,
  over: Partial<StrategyInput<EngineView>> = {},
): (readonly EngineView[])[] {
  return Array.from({ length: requests }, (_, turn) => STRATEGIES[name](input(engines, { ...over, turn })));
}

/** Counts for each engine the plans that have it among their first `count`. */
function tally(made: readonly (readonly EngineView[])[], count = 1): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { id } of made.flatMap((plan) => plan.slice(0, count))) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

function ids(plan: readonly EngineView[]): string[] {
  return plan.map(({ id }) => id);
}

const anyEngines = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 8 }),
    kind: fc.constantFrom('local' as const, 'sidecar' as const),
    expectedMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })),
    idleMs: fc.oneof(fc.constant(Infinity), fc.double({ min: 0, max: 1e6, noNaN: true })),
    isFailing: fc.boolean(),
    inFlight: fc.nat(100),
  }),
  { minLength: 1, maxLength: 12, selector: ({ id }) => id },
);
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('every strategy', () => {
  it.each(Object.keys(STRATEGIES) as StrategyName[])('%s plans every engine exactly once', (name) => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const anyInput = fc.record({
      engines: anyEngines,
      turn: fc.nat(1e9),
      localFirstShare: share,
      sidecarFirstShare: share,
      random: fc.array(anyRandom, { minLength: 1 }).map((values) => () => {
        values.push(values[0]!);
        return values.shift()!;
      }),
      questionHash: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((hash) => () => hash),
    });
    fc.assert(
      fc.property(anyInput, (any) => {
        const before = [...any.engines];
        expect(ids(STRATEGIES[name](any)).sort()).toEqual(ids(before).sort());
        expect(any.engines).toEqual(before);
      }),
    );
  });

  it('votes only if it is REDUNDANT', () => {
    expect([...VOTING]).toEqual(['REDUNDANT']);
  });
});

describe('ROUND_ROBIN', () => {
  it('gives each of two engines 500 of 1,000 requests', () => {
    expect(tally(plans('ROUND_ROBIN', sidecars.slice(0, 2), 1_000))).toEqual({ 'engine-1': 500, 'engine-2': 500 });
  });
});

describe('LOCAL_FIRST', () => {
  it('gives the local engine 80% and the sidecars equal shares of the rest', () => {
    const counts = tally(plans('LOCAL_FIRST', [local, ...sidecars.slice(0, 2)], 1_000));
    expect(counts).toEqual({ local: 800, 'engine-1': 100, 'engine-2': 100 });
  });

  it('gives the local engine 8 of every 10 requests', () => {
    const made = plans('LOCAL_FIRST', [local, ...sidecars], 100);
    for (let turn = 0; turn < 100; turn += 10) expect(tally(made.slice(turn, turn + 10))['local']).toBe(8);
  });

  it.each([0, 0.001, 0.29, 0.57, 1])('gives the local engine exactly a share of %d', (localFirstShare) => {
    const counts = tally(plans('LOCAL_FIRST', [local, ...sidecars], 1_000, { localFirstShare }));
    expect(counts['local'] ?? 0).toBe(localFirstShare * 1_000);
  });

  it('gives every engine an equal share if none is local', () => {
    expect(Object.values(tally(plans('LOCAL_FIRST', sidecars, 999)))).toEqual([333, 333, 333]);
  });

  it('gives the local engine everything if there is no other', () => {
    expect(tally(plans('LOCAL_FIRST', [local], 10))).toEqual({ local: 10 });
  });

  it('plans the sidecars after the local engine', () => {
    expect(ids(STRATEGIES.LOCAL_FIRST(input([...sidecars, local])))).toEqual([
      'local',
      'engine-1',
      'engine-2',
      'engine-3',
    ]);
  });
});

describe('SIDECAR_FIRST', () => {
  it('gives the local engine 20% and the sidecars equal shares of the rest', () => {
    const counts = tally(plans('SIDECAR_FIRST', [local, ...sidecars.slice(0, 2)], 1_000));
    expect(counts).toEqual({ local: 200, 'engine-1': 400, 'engine-2': 400 });
  });

  it('uses sidecarFirstShare', () => {
    const counts = tally(plans('SIDECAR_FIRST', [local, ...sidecars], 100, { sidecarFirstShare: 0.1 }));
    expect(counts['local']).toBe(90);
  });

  it('gives the local engine everything if there are no sidecars', () => {
    expect(tally(plans('SIDECAR_FIRST', [local], 10))).toEqual({ local: 10 });
  });
});

describe('REDUNDANT', () => {
  it('puts engines of different kinds first', () => {
    for (const plan of plans('REDUNDANT', [...sidecars, local], 6)) {
      expect(new Set(plan.slice(0, 2).map(({ kind }) => kind)).size).toBe(2);
    }
  });

  it('puts engines of one kind first equally often', () => {
    const made = plans('REDUNDANT', [local, ...sidecars], 30);
    expect(tally(made, 3)).toEqual({ local: 30, 'engine-1': 20, 'engine-2': 20, 'engine-3': 20 });
  });

  it('works with engines of one kind', () => {
    expect(tally(plans('REDUNDANT', sidecars, 30), 2)).toEqual({ 'engine-1': 20, 'engine-2': 20, 'engine-3': 20 });
  });
});

describe('AFFINITY', () => {
  const anyQuestion = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  // Requests in flight: affinity.test.ts.
  const order = (engines: readonly EngineView[], question: bigint, turn = 0): string[] => {
    const idle = engines.map((each) => ({ ...each, inFlight: 0 }));
    return ids(STRATEGIES.AFFINITY(input(idle, { questionHash: () => question, turn })));
  };

  it('gives equal questions the same order, for any turn and order of engines', () => {
    const shuffled = anyEngines.chain((engines) =>
      fc.tuple(
        fc.constant(engines),
        fc.shuffledSubarray(engines, { minLength: engines.length, maxLength: engines.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, anyQuestion, fc.nat(), ([engines, otherwise], question, turn) => {
        expect(order(otherwise, question, turn)).toEqual(order(engines, question));
      }),
    );
  });

  it('moves only the questions of an engine that leaves', () => {
    fc.assert(
      fc.property(anyEngines, anyQuestion, fc.nat(), (engines, question, pick) => {
        const gone = engines[pick % engines.length]!.id;
        const left = engines.filter(({ id }) => id !== gone);
        expect(order(left, question)).toEqual(order(engines, question).filter((id) => id !== gone));
      }),
    );
  });

  it('distributes questions evenly', () => {
    const counts: Record<string, number> = {};
    for (let question = 0n; question < 10_000n; question += 1n) {
      const first = order([local, ...sidecars], question)[0]!;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    // 2,500 each; five standard deviations are 217.
    for (const count of Object.values(counts)) expect(Math.abs(count - 2_500)).toBeLessThan(217);
  });
});
