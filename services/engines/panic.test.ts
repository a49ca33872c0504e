import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { RouterError } from '../core/errors.ts';
import { Panic } from './panic.ts';
import { EnginePool } from './pool.ts';

const other = fakeModel({ name: 'other' });
const fault = (): Promise<never> => Promise.reject(new RouterError('ENGINE_FAULT', 'on purpose'));

let events: string[];
let pool: EnginePool;
let engines: Record<string, FakeEngine>;

beforeEach(() => {
  jest.useFakeTimers();
  build(50);
});

afterEach(() => {
  for (const { breaker } of pool.engines) breaker.stop();
  jest.useRealTimers();
});

/** a and b hold both models, c and d one of them. */
function build(percent: number): void {
  events = [];
  pool = new EnginePool(
    fakePins,
    fakeBreaker,
    {
      panicChanged: ({ model, isPanicking, closed, connected }) =>
        events.push(`${model} ${isPanicking ? 'panics' : 'is calm'}: ${closed} of ${connected}`),
    },
    percent,
  );
  engines = {};
  for (const id of ['a', 'b', 'c', 'd']) {
    engines[id] = new FakeEngine(id).up(fakeModel(), ...('ab'.includes(id) ? [other] : []));
    pool.add(engines[id]);
  }
}

const open = (...ids: string[]): void => {
  for (const id of ids) pool.find(id).breaker.trip('by hand');
};
const candidates = (name = 'm'): string =>
  pool
    .candidates(name, 1, pool.served(name, 1)!.engines)
    .map(({ id }) => id)
    .join('');
const ask = async (id: string): Promise<void> => {
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  await pool
    .find(id)
    .infer({ model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) }, context)
    .catch(() => undefined);
  await jest.advanceTimersByTimeAsync(0);
};

describe('a panic', () => {
  it('makes all connected engines available if most breakers are open', () => {
    open('c', 'd');
    expect([candidates(), events]).toEqual(['ab', []]);
    open('b');
    expect([candidates(), pool.find('b').isAvailable]).toEqual(['abcd', true]);
    expect(events).toEqual(['m/1 panics: 1 of 4']);
  });

  it('does not include engines that are down or draining', () => {
    open('b', 'c', 'd');
    pool.setDraining(pool.find('c'), true);
    engines['d']!.down('killed');
    expect(candidates()).toBe('a'); // one breaker of two is closed: no panic
    engines['a']!.down('killed');
    pool.setDraining(pool.find('c'), false);
    expect(candidates()).toBe('bc');
    expect(['a', 'd'].map((id) => pool.find(id).isAvailable)).toEqual([false, false]);
  });

  it('affects only the model whose engines have open breakers', () => {
    open('a', 'b');
    expect([candidates('other'), candidates('m')]).toEqual(['ab', 'cd']);
    expect(events).toEqual(['other/1 panics: 0 of 2']);
  });

  it('does not happen with a single engine', () => {
    for (const id of ['b', 'c', 'd']) pool.remove(id);
    open('a');
    expect([candidates(), events]).toEqual(['', []]);
  });

  it('does not happen at 0 percent', () => {
    build(0);
    open('a', 'b', 'c', 'd');
    expect([candidates(), events]).toEqual(['', []]);
  });

  it('ends if half of the breakers are closed again', async () => {
    open('a', 'b', 'c');
    for (let n = 0; n < 10; n += 1) await ask('b');
    await jest.advanceTimersByTimeAsync(500);
    await ask('b');
    expect(events).toEqual([
      'other/1 panics: 0 of 2',
      'm/1 panics: 1 of 4',
      'm/1 is calm: 2 of 4',
      'other/1 is calm: 1 of 2',
    ]);
    expect(candidates()).toBe('abcd'); // a and c are half-open by now
  });
});

describe('the limit of a panic', () => {
  it.each([
    [67, 6, 4, true],
    [66, 6, 4, false],
    [50, 4, 2, false],
    [51, 4, 2, true],
    [60, 2, 1, false],
    [100, 1, 0, false],
    [0, 4, 0, false],
  ])('at %d %% of %d engines, %d closed breakers are a panic: %s', (percent, all, closed, isPanicking) => {
    const engines = Array.from({ length: all }, (_, n) => ({
      state: 'READY' as const,
      breaker: { state: n < closed ? ('CLOSED' as const) : ('OPEN' as const) },
      isPanicking: true,
    }));
    const panic = new Panic(percent, () => undefined);
    panic.check(new Map([['m/1', { engines }]]), engines);
    expect([panic.has('m/1'), ...engines.map((each) => each.isPanicking)]).toEqual(
      Array<boolean>(all + 1).fill(isPanicking),
    );
  });

  it('changes at once with the settings', () => {
    open('c', 'd');
    expect(events).toEqual([]);
    pool.configure({ panicPercent: 51 });
    expect(events).toEqual(['m/1 panics: 2 of 4']);
  });
});

describe('an open breaker in a panic', () => {
  beforeEach(() => open('a', 'b', 'c', 'd'));

  it('is not closed by successes', async () => {
    for (let n = 0; n < 20; n += 1) await ask('a');
    expect(engines['a']!.calls).toHaveLength(20);
    expect(pool.find('a').breaker.state).toBe('OPEN');
  });

  it('allows one probe after its pause and uses its outcome', async () => {
    await ask('a');
    await jest.advanceTimersByTimeAsync(500);
    await ask('a');
    expect(pool.find('a').breaker.state).toBe('CLOSED');
    engines['b']!.behaviour = fault;
    await ask('b');
    expect(pool.find('b').breaker.state).toBe('OPEN');
  });

  it('ignores the outcomes of requests beside the probe', async () => {
    const { breaker } = pool.find('a');
    await jest.advanceTimersByTimeAsync(500);
    const { promise, reject } = Promise.withResolvers<never>();
    engines['a']!.behaviour = () => promise;
    const trying = ask('a');
    engines['a']!.behaviour = fault;
    await ask('a');
    expect([breaker.state, breaker.allowsRequest]).toEqual(['HALF_OPEN', false]);
    reject(new RouterError('ENGINE_FAULT', 'after all'));
    await trying;
    expect(breaker.state).toBe('OPEN');
  });
});
