// The whole cache against a simple model of it, and with every order of events.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { answerOf, STALE_MS, TTL_MS, build, caller, failing, giving, key, outcome } from '../../test/support/cache.ts';
import { type ErrorKind, RouterError } from '../core/errors.ts';
import { ENTRY_OVERHEAD_BYTES } from './answer-store.ts';

describe('AnswerCache', () => {
  // The last two collide.
  const KEYS = [key('a'.repeat(10)), key('b'.repeat(1_000)), key('c'.repeat(2_000)), key('d'.repeat(2_000))];
  const anyStep = fc.record({
    key: fc.nat(KEYS.length - 1),
    use: fc.constantFrom('USE' as const, 'USE' as const, 'USE' as const, 'REFRESH' as const),
    waitMs: fc.constantFrom(0, 0, 50, TTL_MS, STALE_MS),
    result: fc.oneof(
      { weight: 3, arbitrary: fc.record({ bytes: fc.constantFrom(3, 1_000, 20_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom<ErrorKind>('NO_ENGINE', 'NON_FINITE', 'INTERNAL') }) },
    ),
  });

  it('behaves like a list that is searched from start to end', async () => {
    const limits = { maxEntries: 3, maxBytes: 6_000 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
        const { cache, clock } = build(limits);
        // Least recently used first.
        let model: { hash: bigint; key: number; value: string; size: number; atMs: number }[] = [];
        for (const [n, step] of steps.entries()) {
          clock.ms += step.waitMs;
          const { hash, data } = KEYS[step.key]!;
          const value = 'bytes' in step.result ? `${n}`.padEnd(step.result.bytes) : '';
          const answer = await outcome(
            answerOf(
              cache,
              KEYS[step.key]!,
              step.use,
              caller(),
              'kind' in step.result ? failing(step.result.kind) : giving(value),
            ),
          );

          const there = model.find((entry) => entry.hash === hash);
          if (there && step.use === 'USE') model = [...model.filter((entry) => entry !== there), there];
          const known = there?.key === step.key && step.use === 'USE' ? there : undefined;
          const age = clock.ms - (known?.atMs ?? -Infinity);
          if (known && age < TTL_MS) {
            expect(answer).toBe(`HIT ${known.value}`);
          } else if ('bytes' in step.result) {
            expect(answer).toBe(`MISS ${value}`);
            model = model.filter((entry) => entry !== there);
            const size = ENTRY_OVERHEAD_BYTES + data.length + value.length;
            if (size <= limits.maxBytes) model.push({ hash, key: step.key, value, size, atMs: clock.ms });
            const bytes = (): number => model.reduce((sum, entry) => sum + entry.size, 0);
            while (model.length > limits.maxEntries || bytes() > limits.maxBytes) model.shift();
            expect(cache.stats).toMatchObject({ entries: model.length, bytes: bytes() });
          } else {
            const isStale = known && age < TTL_MS + STALE_MS && step.result.kind === 'NO_ENGINE';
            expect(answer).toBe(isStale ? `STALE ${known.value}` : step.result.kind);
          }
        }
      }),
    );
  });

  it('answers each waiting caller’s own question, in any order of events', async () => {
    const anyCaller = fc.record({
      key: fc.nat(KEYS.length - 1),
      use: fc.constantFrom('USE' as const, 'USE' as const, 'REFRESH' as const),
      leaves: fc.boolean(),
    });
    const anyFailures = fc.array(
      fc.constantFrom<ErrorKind | undefined>(undefined, undefined, 'ENGINE_LOST', 'NO_ENGINE', 'DEADLINE_EXCEEDED'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(anyCaller, { maxLength: 12 }),
        anyFailures,
        async (scheduler, callers, failures) => {
          const { cache } = build();
          const left = [...failures];
          const contexts = callers.map((_, n) => caller(1_000 + n));
          const answers = callers.map(async ({ key: k, use, leaves }, n) => {
            await scheduler.schedule(Promise.resolve(), `caller ${n} comes`);
            const answer = outcome(
              answerOf(cache, KEYS[k]!, use, contexts[n]!, async () => {
                await scheduler.schedule(Promise.resolve(), `computation for caller ${n} ends`);
                const kind = left.shift();
                if (kind) throw new RouterError(kind, 'failed');
                return `${k}`;
              }),
            );
            if (leaves)
              void scheduler.schedule(Promise.resolve(), `caller ${n} leaves`).then(() => contexts[n]!.leave());
            return await answer;
          });
          await scheduler.waitFor(Promise.all(answers));
          for (const [n, answer] of (await Promise.all(answers)).entries()) {
            const own = [`HIT ${callers[n]!.key}`, `MISS ${callers[n]!.key}`, `COALESCED ${callers[n]!.key}`];
            const refused = [
              ...failures.filter((kind) => kind !== undefined),
              ...(callers[n]!.leaves ? ['CANCELLED'] : []),
            ];
            expect([...own, ...refused]).toContain(answer);
            expect(getEventListeners(contexts[n]!.signal as AbortSignal, 'abort')).toEqual([]);
          }
          await scheduler.waitIdle();
          expect(cache.stats.flights).toBe(0);
        },
      ),
    );
  });
});
