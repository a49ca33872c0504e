import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fastest } from './fastest.ts';
import type { EngineView } from './strategy.ts';

function engine(id: string, over: Partial<EngineView> = {}): EngineView {
  return { id, kind: 'sidecar', expectedMs: 1, idleMs: 0, isFailing: false, inFlight: 0, ...over };
}

const EXPLORING_TURN = 19;

function plan(engines: readonly EngineView[], turn = 0, draws: readonly number[] = [0, 0]): string[] {
  const left = [...draws];
  const unused = { localFirstShare: 0, sidecarFirstShare: 0, questionHash: () => 0n };
  return fastest({ engines, turn, random: () => left.shift() ?? 0, ...unused }).map(({ id }) => id);
}

describe('FASTEST', () => {
  it('puts the engine with the shorter expected time first', () => {
    expect(plan([engine('a', { expectedMs: 5 }), engine('b', { expectedMs: 2 })])).toEqual(['b', 'a']);
  });

  it('chooses randomly between two nearly equal engines', () => {
    const equals = [engine('a', { expectedMs: 1 }), engine('b', { expectedMs: 1.2 })];
    expect([plan(equals, 0, [0, 0])[0], plan(equals, 0, [0.5, 0])[0]]).toEqual(['a', 'b']);
  });

  it('prefers the engine with fewer requests in flight if they are nearly equal', () => {
    const equals = [engine('a', { inFlight: 2 }), engine('b', { expectedMs: 1.1, inFlight: 1 })];
    expect([plan(equals, 0, [0, 0])[0], plan(equals, 0, [0.5, 0])[0]]).toEqual(['b', 'b']);
  });

  it('draws two of many engines, so that the fastest does not get all requests', () => {
    const three = [engine('a', { expectedMs: 1 }), engine('b', { expectedMs: 2 }), engine('c', { expectedMs: 3 })];
    // The draws: the index of one engine, and the distance to the other one.
    expect(plan(three, 0, [0.4, 0])).toEqual(['b', 'a', 'c']);
  });

  it('draws every pair equally often', () => {
    const engines = [1, 2, 3, 4].map((n) => engine(`${n}`, { expectedMs: 2 ** n }));
    const firsts: Record<string, number> = {};
    for (let one = 0; one < 4; one += 1) {
      for (let step = 0; step < 3; step += 1) {
        const first = plan(engines, 0, [one / 4, step / 3 + 0.01])[0]!;
        firsts[first] = (firsts[first] ?? 0) + 1;
      }
    }
    expect(firsts).toEqual({ 1: 6, 2: 4, 3: 2 });
  });

  it('orders the other engines by expected time', () => {
    const engines = [4, 1, 3, 2].map((ms) => engine(`${ms}`, { expectedMs: ms }));
    expect(plan(engines)).toEqual(['1', '2', '3', '4']);
  });

  it('puts failing engines last', () => {
    const three = [
      engine('a', { expectedMs: 1, isFailing: true }),
      engine('b', { expectedMs: 2, isFailing: true }),
      engine('c', { expectedMs: 3 }),
    ];
    expect(plan(three)).toEqual(['c', 'a', 'b']);
    expect(plan(three.slice(0, 2))).toEqual(['a', 'b']);
  });

  it('puts an engine first that was never measured', () => {
    expect(plan([engine('a'), engine('b'), engine('new', { expectedMs: 0 })])[0]).toBe('new');
  });

  it('sends only one request to such an engine until it answers', () => {
    expect(plan([engine('new', { expectedMs: 0, inFlight: 1 }), engine('a', { expectedMs: 50 })])).toEqual([
      'a',
      'new',
    ]);
  });

  it('prefers fewer requests in flight if no engine was measured', () => {
    const engines = [engine('a', { expectedMs: 0, inFlight: 2 }), engine('b', { expectedMs: 0, inFlight: 1 })];
    expect(plan(engines)).toEqual(['b', 'a']);
  });

  it('measures the longest idle engine again every 20th turn', () => {
    const engines = [
      engine('a'),
      engine('b', { expectedMs: 30, idleMs: 1_500 }),
      engine('c', { expectedMs: 30, idleMs: 2_500 }),
    ];
    expect(Array.from({ length: 40 }, (_, turn) => turn).filter((turn) => plan(engines, turn)[0] === 'c')).toEqual([
      19, 39,
    ]);
  });

  it.each([
    ['answered within the last second', { idleMs: 1_000 }],
    ['still owes an answer', { idleMs: 5_000, inFlight: 1 }],
  ])('does not measure an engine again that %s', (_, over) => {
    expect(plan([engine('a'), engine('b', { expectedMs: 30, ...over })], EXPLORING_TURN)[0]).toBe('a');
  });

  it('plans a single engine', () => {
    expect(plan([engine('a')])).toEqual(['a']);
  });
});

/** Engines that serve one request after the other behind a network, with clients in a closed loop, on a virtual clock. */
class Simulation {
  static readonly ESTIMATE_TAU_MS = 500;
  nowMs = 0;
  readonly #engines: {
    id: string;
    networkMs: number;
    freeAtMs: number;
    inFlight: number;
    perRequestMs: number;
    answeredMs: number;
  }[];
  readonly #random: () => number;
  readonly #due: { atMs: number; run: () => void }[] = [];
  readonly #serviceMs: number;
  #turn = 0;
  askedIds: string[] = [];

  constructor(ids: readonly string[], clients: number, serviceMs: number, random: () => number) {
    this.#engines = ids.map((id) => ({
      id,
      networkMs: 0,
      freeAtMs: 0,
      inFlight: 0,
      perRequestMs: 0,
      answeredMs: -Infinity,
    }));
    this.#serviceMs = serviceMs;
    this.#random = random;
    for (let client = 0; client < clients; client += 1) this.#at(client * 0.1, () => this.#ask());
  }

  slowDown(id: string, networkMs: number): void {
    this.#engines.find((engine) => engine.id === id)!.networkMs = networkMs;
  }

  run(forMs: number): this {
    const untilMs = this.nowMs + forMs;
    while (this.#due[0]!.atMs <= untilMs) {
      const { atMs, run } = this.#due.shift()!;
      this.nowMs = atMs;
      run();
    }
    this.nowMs = untilMs;
    return this;
  }

  /** Returns the share of the requests of the next `forMs` that `id` gets. */
  share(id: string, forMs: number): number {
    this.askedIds = [];
    this.run(forMs);
    return this.askedIds.filter((askedIds) => askedIds === id).length / this.askedIds.length;
  }

  #at(atMs: number, run: () => void): void {
    const index = this.#due.findIndex((other) => other.atMs > atMs);
    this.#due.splice(index === -1 ? this.#due.length : index, 0, { atMs, run });
  }

  #ask(): void {
    const views = this.#engines.map(({ id, inFlight, perRequestMs, answeredMs }): EngineView => ({
      id,
      kind: 'sidecar',
      expectedMs: perRequestMs * (inFlight + 1),
      idleMs: this.nowMs - answeredMs,
      isFailing: false,
      inFlight,
    }));
    const [first] = fastest({
      engines: views,
      turn: this.#turn,
      random: this.#random,
      localFirstShare: 0,
      sidecarFirstShare: 0,
      questionHash: () => 0n,
    });
    this.#turn += 1;
    const engine = this.#engines.find(({ id }) => id === first!.id)!;
    this.askedIds.push(engine.id);
    const sentMs = this.nowMs;
    const ahead = engine.inFlight;
    engine.inFlight += 1;
    engine.freeAtMs = Math.max(engine.freeAtMs, sentMs + engine.networkMs) + this.#serviceMs * (0.5 + this.#random());
    this.#at(engine.freeAtMs, () => {
      const perRequestMs = (this.nowMs - sentMs) / (ahead + 1);
      const weight = 1 - Math.exp(-(this.nowMs - engine.answeredMs) / Simulation.ESTIMATE_TAU_MS);
      engine.perRequestMs += weight * (perRequestMs - engine.perRequestMs);
      engine.answeredMs = this.nowMs;
      engine.inFlight -= 1;
      this.#ask();
    });
  }
}

describe('FASTEST with two engines, one temporarily 20 ms slower,', () => {
  // A linear congruential generator (Numerical Recipes): fast-check varies the seed, and prints it on a failure.
  const generator = (seed: number) => () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  // With so few clients the queue of one engine costs at most half of the 20 ms; with more, the slower engine is worth asking.
  const anyLoad = fc.record({
    seed: fc.nat(),
    clients: fc.integer({ min: 4, max: 10 }),
    serviceMs: fc.double({ min: 0.5, max: 1, noNaN: true }),
  });
  const assertFor = (check: (simulation: Simulation) => void): void =>
    fc.assert(
      fc.property(anyLoad, ({ seed, clients, serviceMs }) => {
        check(new Simulation(['a', 'b'], clients, serviceMs, generator(seed)));
      }),
      { numRuns: 20 },
    );

  it('sends less than 10% to the slower engine', () => {
    assertFor((simulation) => {
      expect(Math.abs(simulation.share('b', 2_000) - 0.5)).toBeLessThan(0.1);
      simulation.slowDown('b', 20);
      expect(simulation.run(1_000).share('b', 5_000)).toBeLessThan(0.1);
    });
  });

  it('sends over a third to it within 5 s of its recovery', () => {
    assertFor((simulation) => {
      simulation.slowDown('b', 20);
      simulation.run(10_000).slowDown('b', 0);
      expect(simulation.run(5_000).share('b', 1_000)).toBeGreaterThan(1 / 3);
    });
  });
});
