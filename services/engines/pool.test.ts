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

describe('EnginePool', () => {
  it('serves the models of its ready engines, in the order of adding', () => {
    expect(holders()).toBeUndefined();
    a.up(fakeModel());
    pool.add(new FakeEngine('b').up(fakeModel()));
    expect(holders()).toEqual(['a', 'b']);
  });

  it('keeps only models that are in the repository', () => {
    const pins: ModelPins = { find: (name, version) => (name === 'm' ? fakePins.find(name, version) : undefined) };
    const pooled = new EnginePool(pins, fakeBreaker).add(a);
    a.up(fakeModel(), fakeModel({ name: 'made up' }), fakeModel());
    expect(pooled.models).toEqual([fakeModel()]);
    a.down('killed');
    expect(pooled.models).toEqual([]);
  });

  it('keeps a model after its last engine has gone', () => {
    a.up(fakeModel({ inputSize: 3 }));
    a.down('killed');
    expect([holders(), pool.served('m', 1)?.model.inputSize]).toEqual([[], 3]);
  });

  it('opens the breaker of an engine that goes down, unless it was never up', () => {
    a.down('connection refused');
    a.up(fakeModel());
    a.down('killed');
    expect(events).toEqual(['a DOWN', 'a READY', 'a breaker OPEN: killed', 'a DOWN']);
  });

  it('does not use an engine that is draining', () => {
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

  it('refuses a second engine with the same id', () => {
    expect(() => pool.add(new FakeEngine('a'))).toThrow('there is an engine "a" already');
  });

  it('refuses more engines than MAX_ENGINES', () => {
    for (let n = 1; n < MAX_ENGINES; n += 1) pool.add(new FakeEngine(`more-${n}`));
    expect(() => pool.add(new FakeEngine('too many'))).toThrow('there are 256 engines, the most there can be');
  });

  it('never ignores breakers, unless a share of them is set', () => {
    const both = ['b', 'c'].map((id) => pool.add(new FakeEngine(id).up(fakeModel())));
    for (const { breaker } of both) breaker.trip('by hand');
    expect(pool.candidates('m', 1, pool.holders('m', 1))).toEqual([]);
  });

  it('uses only engines whose model matches the repository', () => {
    const wrong = ['b', 'c'].map((id) => pool.add(new FakeEngine(id).up(fakeModel({ modelId: 8n }))));
    expect(holders()).toBeUndefined();
    a.up(fakeModel());
    expect(holders()).toEqual(['a']);
    expect(wrong.map(({ modelProblems }) => modelProblems)).toEqual(
      Array(2).fill([{ model: 'm/1', why: expect.stringContaining('0000000000000008') }]),
    );
  });

  it('takes the sizes of a model from the repository, not from an engine', () => {
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

  it('reports a model problem once, and its end', () => {
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
  it('is unusable, with a reason, if the router cannot read the model', () => {
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
  ])('is unusable, with a reason, if it holds %s', (_what, models, why) => {
    const engine = new FakeEngine('x').up(...models);
    const { state, unusable, unavailableReason } = pool.add(engine);
    expect([state, unusable, unavailableReason]).toEqual(['UNUSABLE', why, `unusable: ${unusable}`]);
    engine.up(fakeModel());
    expect(pool.find('x').state).toBe('READY');
  });
});

describe('one process with two engine ids', () => {
  const up = (engine: FakeEngine, instanceId: string): void => {
    engine.instanceId = instanceId;
    engine.up(fakeModel());
  };
  let b: FakeEngine;

  beforeEach(() => {
    b = new FakeEngine('b');
    pool.add(b);
  });

  it('is used under the first id only', () => {
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

  it('is used under the second id while the first is down', () => {
    up(a, 'f0');
    up(b, 'f0');
    events = [];
    a.down('connection lost');
    expect(holders()).toEqual(['b']);
    up(a, 'f0');
    expect(holders()).toEqual(['a']);
    expect(events).toEqual(['a breaker OPEN: connection lost', 'a DOWN', 'b READY', 'a READY', 'b DUPLICATE']);
  });

  it('is used under the second id if the first is removed', () => {
    up(a, 'f0');
    up(b, 'f0');
    pool.remove('a');
    expect([holders(), events.slice(-2)]).toEqual([['b'], ['a removed', 'b READY']]);
  });

  it('counts as two after a restart with another instance id', () => {
    up(a, 'f0');
    up(b, 'f0');
    up(b, 'f1');
    expect(holders()).toEqual(['a', 'b']);
  });
});

describe('an engine that claims another engine’s instance id', () => {
  const up = (engine: FakeEngine, instanceId: string): void => {
    engine.instanceId = instanceId;
    engine.up(fakeModel());
  };
  const WHY = 'it contradicted the majority';
  let owner: FakeEngine;

  // Engine a is first in the pool. It starts with its own id, and later claims the id of the owner.
  beforeEach(() => {
    owner = new FakeEngine('owner');
    pool.add(owner);
    up(a, 'own');
    up(owner, 'f0');
    pool.settle();
  });

  it('is a duplicate of the owner', () => {
    up(a, 'f0');
    expect([holders(), pool.find('a').duplicateOf]).toEqual([['owner'], 'owner']);
  });

  it('does not replace the owner during or after its own quarantine', () => {
    pool.setQuarantine(pool.find('a'), WHY);
    up(a, 'f0');
    expect([holders(), pool.find('a').state]).toEqual([['owner'], 'QUARANTINED']);
    pool.setQuarantine(pool.find('a'), '');
    expect([holders(), pool.find('a').state]).toEqual([['owner'], 'DUPLICATE']);
  });

  it('is replaced by the owner when that reconnects', () => {
    up(a, 'f0');
    owner.down('connection lost');
    expect(holders()).toEqual(['a']);
    up(owner, 'f0');
    expect([holders(), pool.find('a').state]).toEqual([['owner'], 'DUPLICATE']);
  });

  it('counts again if the owner restarts with a new id', () => {
    up(a, 'f0');
    up(owner, 'f1');
    expect(holders()).toEqual(['a', 'owner']);
    up(a, 'f1');
    expect(holders()).toEqual(['owner']);
  });

  it('does not become first by claiming other ids in between', () => {
    for (const id of ['f0', 'f2', 'f0', 'f3', 'f0']) up(a, id);
    expect([holders(), pool.find('a').duplicateOf]).toEqual([['owner'], 'owner']);
  });
});
