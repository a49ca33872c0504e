import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import type { Attempt } from './attempt.ts';
import { noEngine, stillReading } from './no-engine.ts';

const tried = (engineId: string, outcome: Attempt['outcome'], error?: RouterError): Attempt => ({
  ...{ engineId, outcome, durationMs: 1, error },
});
const idle = (id: string, unavailableReason = ''): { id: string; unavailableReason: string } => ({
  id,
  unavailableReason,
});

describe('noEngine', () => {
  it('names what was tried and the state of the other engines', () => {
    const broken = { ...idle('c'), modelProblems: [{ model: 'm/1', why: 'wrong weights' }] };
    const twice = {
      ...idle('d'),
      modelProblems: [
        { model: 'm/1', why: 'damaged' },
        { model: 'n/2', why: 'missing' },
      ],
    };
    const pool = { engines: [idle('a'), idle('b', 'down: refused'), broken, twice, idle('e')] };
    const cause = new RouterError('ENGINE_LOST', 'gone');
    const error = noEngine(pool, [tried('a', 'ENGINE_LOST')], cause);
    const others = 'b: down: refused, c: m/1: wrong weights, d: m/1: damaged; n/2: missing, e: not asked';
    expect(error).toMatchObject({ kind: 'NO_ENGINE', cause, metadata: { tried: 'a: ENGINE_LOST', others } });
    expect(error.message).toBe(
      `no engine could answer (tried a: ENGINE_LOST; others ${others}); try again, or see "npx tandem engines"`,
    );
  });

  it.each([
    ['none is configured', [], [], 'none is configured'],
    ['all were tried', [idle('a')], [tried('a', 'ENGINE_LOST')], 'tried a: ENGINE_LOST'],
    ['none was tried', [idle('a', 'draining')], [], 'others a: draining'],
  ])('says so if %s', (_, engines, attempts, known) => {
    expect(noEngine({ engines }, attempts).message).toContain(`no engine could answer (${known});`);
  });

  it.each<[string, Attempt['outcome'][], string]>([
    ['every engine is full', ['ENGINE_FULL', 'ENGINE_FULL'], 'ROUTER_FULL'],
    ['the others stop', ['DRAINING', 'ENGINE_FULL'], 'ROUTER_FULL'],
    ['another one is lost', ['ENGINE_FULL', 'ENGINE_LOST'], 'NO_ENGINE'],
    ['every engine stops', ['DRAINING'], 'NO_ENGINE'],
  ])('knows if %s', (_, outcomes, kind) => {
    const attempts = outcomes.map((outcome, index) => tried(`${index}`, outcome));
    expect(noEngine({ engines: [] }, attempts).kind).toBe(kind);
  });

  it('asks for engines if all are full', () => {
    const cause = new RouterError('ENGINE_FULL', 'full');
    const error = noEngine({ engines: [] }, [tried('a', 'ENGINE_FULL')], cause);
    expect(error).toMatchObject({ lack: 'ENGINES', cause, metadata: { tried: 'a: ENGINE_FULL', others: '' } });
    expect(error.message).toBe('every engine is full (a: ENGINE_FULL); try again later, or add engines');
  });

  describe('if no engine takes a message of that size', () => {
    const tooLarge = (id: string, limit: number): Attempt => {
      const metadata = { max_message_bytes: `${limit}` };
      return tried(id, 'INPUT_TOO_LARGE', new RouterError('INPUT_TOO_LARGE', `takes ${limit} bytes`, { metadata }));
    };

    it('says the largest limit', () => {
      const attempts = [tooLarge('a', 10), tooLarge('b', 30), tooLarge('c', 20)];
      const error = noEngine({ engines: [idle('d')] }, attempts);
      const tried = 'a: INPUT_TOO_LARGE, b: INPUT_TOO_LARGE, c: INPUT_TOO_LARGE';
      expect(error).toMatchObject({
        ...{ kind: 'INPUT_TOO_LARGE', cause: attempts[1]!.error },
        metadata: { max_message_bytes: '30', tried, others: 'd: not asked' },
      });
      expect(error.message).toBe('the input is too large for every engine; the largest limit: takes 30 bytes');
    });

    it('takes an unknown limit for none', () => {
      const unknown = tried('a', 'INPUT_TOO_LARGE', new RouterError('INPUT_TOO_LARGE', 'too large'));
      expect(noEngine({ engines: [] }, [unknown, tooLarge('b', 1)]).message).toContain('takes 1 bytes');
    });

    it('is NO_ENGINE if another engine failed otherwise', () => {
      expect(noEngine({ engines: [] }, [tooLarge('a', 10), tried('b', 'ENGINE_LOST')]).kind).toBe('NO_ENGINE');
    });
  });
});

it('stillReading names the model and the time to wait', () => {
  const error = stillReading('toy', 2);
  expect(error).toMatchObject({ kind: 'NO_ENGINE', retryAfterMs: 500, metadata: { model: 'toy/2' } });
  expect(error.message).toBe('model "toy/2" is still being read; try again in 500 ms');
});
