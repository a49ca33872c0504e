import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePinned, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import type { ModelPins } from './model-pins.ts';
import { EnginePool, MAX_ENGINES } from './pool.ts';

let events: string[];
let pool: EnginePool;
let a: FakeEngine;

beforeEach(() => {
  events = [];
  pool = new EnginePool(fakePins, fakeBreaker, {
    engineChanged: ({ id, state }) => events.push(`${id} ${state}`),
    breakerChanged: ({ id }, { state, why }) => events.push(`${id} breaker ${state}: ${why}`),
    modelProblemsChanged: ({ id, modelProblems }) => events.push(`${id} problems ${modelProblems.length}`),
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

  it('keeps of what an engine describes only what the repository has', () => {
    const pins: ModelPins = { find: (name, version) => (name === 'm' ? fakePins.find(name, version) : undefined) };
    const pooled = new EnginePool(pins, fakeBreaker).add(a);
    a.up(fakeModel(), fakeModel({ name: 'made up' }), fakeModel());
    expect(pooled.models).toEqual([fakeModel()]);
    a.down('killed');
    expect(pooled.models).toEqual([]);
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
    expect([holders(), pool.find('a').unavailableReason]).toEqual([[], 'draining']);
    pool.setDraining(pool.find('a'), false);
    expect([holders(), pool.find('a').unavailableReason]).toEqual([['a'], '']);
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

  it('asks only engines that hold what the repository has, however few they are', () => {
    const wrong = ['b', 'c'].map((id) => pool.add(new FakeEngine(id).up(fakeModel({ modelId: 8n }))));
    expect(holders()).toBeUndefined();
    a.up(fakeModel());
    expect(holders()).toEqual(['a']);
    expect(wrong.map(({ modelProblems }) => modelProblems)).toEqual(
      Array(2).fill([{ model: 'm/1', why: expect.stringContaining('0000000000000008') }]),
    );
  });

  it('serves the sizes of the repository, not those that an engine says', () => {
    a.up(fakeModel({ nodes: 99, parameters: 99 }));
    expect(pool.served('m', 1)?.model).toEqual(fakePins.find('m', 1));
  });

  it('serves a model as soon as the router has read it', () => {
    let isRead = false;
    pool = new EnginePool({ find: (...which) => (isRead ? fakePins.find(...which) : undefined) }, fakeBreaker);
    pool.add(new FakeEngine('early').up(fakeModel()));
    expect([holders(), pool.find('early').modelProblems]).toEqual([undefined, []]);
    isRead = true;
    pool.pinsChanged();
    expect(holders()).toEqual(['early']);
  });

  it('says once that an engine holds another model, also when it reconnects, and that it is over', () => {
    a.up(fakeModel({ modelId: 8n }));
    a.down('killed');
    expect(pool.find('a').modelProblems).toHaveLength(1);
    a.up(fakeModel({ modelId: 8n }));
    expect(events.filter((event) => event.includes('problems'))).toEqual(['a problems 1']);
    a.up(fakeModel());
    expect(events.filter((event) => event.includes('problems'))).toEqual(['a problems 1', 'a problems 0']);
  });
});

describe('an engine without a usable model', () => {
  it('is not ready where the router cannot read what it holds, and says why', () => {
    const broken: ModelPins = { find: () => fakePinned({ modelId: 0n, error: 'model.nir: damaged' }) };
    const { state, unavailableReason } = new EnginePool(broken, fakeBreaker).add(
      new FakeEngine('x').up(fakeModel({ error: 'no' })),
    );
    expect([state, unavailableReason]).toEqual([
      'UNUSABLE',
      'unusable: m/1: the router cannot use it: model.nir: damaged',
    ]);
  });

  it.each([
    ['none', [], 'it holds no model; check its folder of models (--models)'],
    ['other weights', [fakeModel({ modelId: 8n })], expect.stringMatching(/^m\/1: it holds other weights/)],
  ])('that holds %s is not ready, and says why', (_what, models, why) => {
    const engine = new FakeEngine('x').up(...models);
    const { state, unusable, unavailableReason } = pool.add(engine);
    expect([state, unusable, unavailableReason]).toEqual(['UNUSABLE', why, `unusable: ${unusable}`]);
    engine.up(fakeModel());
    expect(pool.find('x').state).toBe('READY');
  });
});

describe('one process under two ids', () => {
  const up = (engine: FakeEngine, instanceId: string): void => {
    engine.instanceId = instanceId;
    engine.up(fakeModel());
  };
  let b: FakeEngine;

  beforeEach(() => {
    b = new FakeEngine('b');
    pool.add(b);
  });

  it('is asked under the first one alone', () => {
    up(a, 'f0');
    up(b, 'f0');
    const second = pool.find('b');
    expect(holders()).toEqual(['a']);
    expect([second.state, second.duplicateOf, second.isAvailable, second.unavailableReason]).toEqual([
      'DUPLICATE',
      'a',
      false,
      'same process as a',
    ]);
  });

  it('is asked under the second one when the first has gone, until that is back', () => {
    up(a, 'f0');
    up(b, 'f0');
    events = [];
    a.down('connection lost');
    expect(holders()).toEqual(['b']);
    up(a, 'f0');
    expect(holders()).toEqual(['a']);
    expect(events).toEqual(['a breaker OPEN: connection lost', 'a DOWN', 'b READY', 'a READY', 'b DUPLICATE']);
  });

  it('is asked under the second one when the first is removed', () => {
    up(a, 'f0');
    up(b, 'f0');
    pool.remove('a');
    expect([holders(), events.slice(-2)]).toEqual([['b'], ['a removed', 'b READY']]);
  });

  it('is another process after a restart with another instance id', () => {
    up(a, 'f0');
    up(b, 'f0');
    up(b, 'f1');
    expect(holders()).toEqual(['a', 'b']);
  });
});

describe('an engine that claims the instance id of another one', () => {
  const up = (engine: FakeEngine, instanceId: string): void => {
    engine.instanceId = instanceId;
    engine.up(fakeModel());
  };
  const WHY = 'it contradicted the majority';
  let owner: FakeEngine;

  // The imitator, a, comes first in the pool, and has an id of its own at first.
  beforeEach(() => {
    owner = new FakeEngine('owner');
    pool.add(owner);
    up(a, 'own');
    up(owner, 'f0');
    pool.settle();
  });

  it('is a duplicate of it', () => {
    up(a, 'f0');
    expect([holders(), pool.find('a').duplicateOf]).toEqual([['owner'], 'owner']);
  });

  it('does not displace it while it is quarantined, nor afterwards', () => {
    pool.setQuarantine(pool.find('a'), WHY);
    up(a, 'f0');
    expect([holders(), pool.find('a').state]).toEqual([['owner'], 'QUARANTINED']);
    pool.setQuarantine(pool.find('a'), '');
    expect([holders(), pool.find('a').state]).toEqual([['owner'], 'DUPLICATE']);
  });

  it('is displaced by it again when it reconnects with the same id', () => {
    up(a, 'f0');
    owner.down('connection lost');
    expect(holders()).toEqual(['a']);
    up(owner, 'f0');
    expect([holders(), pool.find('a').state]).toEqual([['owner'], 'DUPLICATE']);
  });

  it('is another process once the owner has restarted with a new id', () => {
    up(a, 'f0');
    up(owner, 'f1');
    expect(holders()).toEqual(['a', 'owner']);
    up(a, 'f1');
    expect(holders()).toEqual(['owner']);
  });

  it('gains nothing by another id each time: what it claims last is the youngest claim', () => {
    for (const id of ['f0', 'f2', 'f0', 'f3', 'f0']) up(a, id);
    expect([holders(), pool.find('a').duplicateOf]).toEqual([['owner'], 'owner']);
  });
});
