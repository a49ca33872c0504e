import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { affinity } from './affinity.ts';
import type { EngineView } from './strategy.ts';

const anyQuestion = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const anyIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });

const anyCounts = fc.array(fc.nat(100), { minLength: 12, maxLength: 12 });

function loaded(ids: readonly string[], counts: readonly number[]): Map<string, number> {
  return new Map(ids.map((id, index) => [id, counts[index]!]));
}

function views(inFlight: ReadonlyMap<string, number>): EngineView[] {
  return [...inFlight].map(([id, count]) => ({
    id,
    kind: 'sidecar',
    expectedMs: 1,
    idleMs: 0,
    isFailing: false,
    inFlight: count,
  }));
}

function order(inFlight: ReadonlyMap<string, number>, question: bigint): string[] {
  const unused = { turn: 0, localFirstShare: 0, sidecarFirstShare: 0, random: () => 0 };
  return affinity({ engines: views(inFlight), questionHash: () => question, ...unused }).map(({ id }) => id);
}

/** The most requests in flight that an engine may have before the next one goes elsewhere. */
function bound(inFlight: ReadonlyMap<string, number>): number {
  return Math.max(8, (1.25 * [...inFlight.values()].reduce((sum, count) => sum + count, 0)) / inFlight.size + 1);
}

function idle(ids: readonly string[]): Map<string, number> {
  return new Map(ids.map((id) => [id, 0]));
}

describe('AFFINITY with bounded load', () => {
  it('keeps the order of idle engines if none has clearly more than the mean', () => {
    fc.assert(
      fc.property(anyIds, fc.nat(100), anyCounts, anyQuestion, (ids, base, counts, question) => {
        const even = loaded(
          ids,
          counts.map((count) => base + (count % 2)),
        );
        expect(order(even, question)).toEqual(order(idle(ids), question));
      }),
    );
  });

  it('moves only overloaded engines, behind all others', () => {
    fc.assert(
      fc.property(anyIds, anyCounts, anyQuestion, (ids, counts, question) => {
        const load = loaded(ids, counts);
        const isOver = (id: string): boolean => load.get(id)! > bound(load);
        const usual = order(idle(ids), question);
        expect(order(load, question)).toEqual([...usual.filter((id) => !isOver(id)), ...usual.filter(isOver)]);
      }),
    );
  });

  it('always puts an engine first that is not overloaded', () => {
    fc.assert(
      fc.property(anyIds, anyCounts, anyQuestion, (ids, counts, question) => {
        const load = loaded(ids, counts);
        expect(load.get(order(load, question)[0]!)).toBeLessThanOrEqual(bound(load));
      }),
    );
  });

  it('sends the overflow of one engine to one other engine', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const [first, second] = order(idle(ids), 7n);
    const load = new Map([...idle(ids), [first!, 12]]);
    expect([...Array(100).keys()].map(() => order(load, 7n)[0])).toEqual(Array(100).fill(second));
  });

  it('keeps every engine below its bound if one question is very frequent', () => {
    const anyRun = fc.record({
      ids: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 12 }),
      hot: anyQuestion,
      // Each step: a request comes, with the frequent question or another; or the oldest request of an engine is answered.
      steps: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant('HOT') }, anyQuestion, fc.nat()), {
        minLength: 100,
        maxLength: 400,
      }),
    });
    fc.assert(
      fc.property(anyRun, ({ ids, hot, steps }) => {
        const inFlight = idle(ids);
        for (const step of steps) {
          if (typeof step === 'number') {
            const id = ids[step % ids.length]!;
            inFlight.set(id, Math.max(0, inFlight.get(id)! - 1));
            continue;
          }
          const allowed = bound(inFlight);
          const [id] = order(inFlight, step === 'HOT' ? hot : step);
          inFlight.set(id!, inFlight.get(id!)! + 1);
          expect(inFlight.get(id!)).toBeLessThanOrEqual(allowed + 1);
        }
      }),
    );
  });
});
