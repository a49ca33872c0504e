import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { EnginePool, MAX_ENGINES } from './pool.ts';

let events: string[];
let pool: EnginePool;
let a: FakeEngine;

beforeEach(() => {
  events = [];
  pool = new EnginePool(fakePins, fakeBreaker, {
    engineChanged: ({ id, state }) => events.push(`${id} ${state}`),
    breakerChanged: ({ id }, { state, why }) => events.push(`${id} breaker ${state}: ${why}`),
    engineRemoved: ({ id }) => events.push(`${id} removed`),
  });
  a = new FakeEngine('a');
  pool.add(a);
});

const holders = (): string[] | undefined => pool.served('m', 1)?.engines.map(({ id }) => id);

describe('the engine pool', () => {
  it('serves what its ready engines hold, in the order they were added', () => {
    expect(holders()).toBeUndefined();
    a.up(fakeModel());
    pool.add(new FakeEngine('b').up(fakeModel()));
    expect(holders()).toEqual(['a', 'b']);
  });

  it('remembers a model when the last engine that holds it has gone', () => {
    a.up(fakeModel({ inputSize: 3 }));
    a.down('killed');
    expect([holders(), pool.served('m', 1)?.model.inputSize]).toEqual([[], 3]);
  });

  it('opens the breaker of an engine that was up and goes down, and not of one that never came', () => {
    a.down('connection refused');
    a.up(fakeModel());
    a.down('killed');
    expect(events).toEqual(['a DOWN', 'a READY', 'a breaker OPEN: killed', 'a DOWN']);
  });

  it('plans nothing on an engine that is being drained', () => {
    a.up(fakeModel());
    pool.setDraining(pool.find('a'), true);
    expect([holders(), pool.find('a').whyNot]).toEqual([[], 'draining']);
    pool.setDraining(pool.find('a'), false);
    expect([holders(), pool.find('a').whyNot]).toEqual([['a'], '']);
  });

  it('forgets an engine that is removed', () => {
    a.up(fakeModel());
    pool.remove('a');
    expect([pool.engines, holders(), events.at(-1)]).toEqual([[], [], 'a removed']);
    expect(() => pool.find('a')).toThrow('there is no engine "a"; there are: none');
  });

  it('takes no second engine of the same name', () => {
    expect(() => pool.add(new FakeEngine('a'))).toThrow('there is an engine "a" already');
  });

  it('takes no more engines than it may hold', () => {
    for (let n = 1; n < MAX_ENGINES; n += 1) pool.add(new FakeEngine(`more-${n}`));
    expect(() => pool.add(new FakeEngine('too many'))).toThrow('remove one');
  });
});
