import { describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePinned, fakePins, fakePinsOf } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import { engine, version } from '../../test/fakes/router-parts.ts';
import type { ModelPins } from '../engines/model-pins.ts';
import { EnginePool } from '../engines/pool.ts';
import { ModelRepository, type ModelVersion } from '../models/repository.ts';
import { type Found, findServed } from './find-model.ts';
import { RouterError } from '../core/errors.ts';

const rate = { kind: 'rate', seed: 3 } as const;
const bins = { bin_us: 10, width: 3, height: 1, polarity: 'merged', value: 'count', order: 'ascending' } as const;

interface Wanted {
  readonly versions?: readonly ModelVersion[];
  readonly engines?: readonly FakeEngine[];
  readonly pins?: ModelPins;
}

/** Looks for `name` and `number`; all engines hold version 1 by default. */
function finder({ versions = [version(1)], engines = [engine('a')], pins = fakePins }: Wanted): {
  find: (name?: string, number?: number) => Found;
  pool: EnginePool;
} {
  const pool = new EnginePool(pins, fakeBreaker);
  for (const each of engines) pool.add(each);
  const models = new ModelRepository(versions, 'm');
  return { find: (name = '', number = 0) => findServed(models, pool, name, number), pool };
}

/** Returns the error of looking for it. */
function errorOf(wanted: Wanted, name = '', number = 0): RouterError {
  try {
    finder(wanted).find(name, number);
  } catch (thrown) {
    return RouterError.from(thrown);
  }
  throw new Error('it was found');
}

const holding = (...numbers: number[]): FakeEngine =>
  new FakeEngine('a').up(...numbers.map((number) => fakeModel({ version: number })));

describe('findServed', () => {
  it('finds the version with its input, its key and its engines', () => {
    const found = finder({}).find();
    expect(found).toMatchObject({ key: 'm/1', input: { kind: 'constant', shape: [3], size: 3 } });
    expect(found.engines.map(({ id }) => id)).toEqual(['a']);
  });

  it('takes the shape of the input from the network if the manifest has none', () => {
    const input = finder({ versions: [version(1, { inputShape: undefined })] }).find().input;
    expect(input).toEqual({ kind: 'constant', shape: [3], size: 3 });
  });

  it('takes the shape of the manifest, and the size of the network', () => {
    const pins = fakePinsOf({ inputSize: 6 });
    const versions = [version(1, { inputShape: [2, 3] })];
    const engines = [new FakeEngine('a').up(fakeModel({ inputSize: 6 }))];
    expect(finder({ versions, pins, engines }).find().input).toEqual({ kind: 'constant', shape: [2, 3], size: 6 });
  });

  it.each([
    ['a series', {}, 'series'],
    ['a constant that is encoded', { encoder: rate }, 'constant'],
    [
      'a series that is encoded by its differences',
      { encoder: { kind: 'delta', threshold: 1, off: false } as const },
      'series',
    ],
  ])('takes %s', (_, over, kind) => {
    const versions = [version(1, { inputKind: 'series', ...over })];
    expect(finder({ versions, pins: fakePinsOf({ inputKind: 'series' }) }).find().input.kind).toBe(kind);
  });

  it.each([
    ['the highest that is held', [1, 2], 2],
    ['the only one that is held', [1], 1],
  ])('finds %s if no version is wanted', (_, held, number) => {
    const versions = [version(1), version(2), version(3)];
    expect(finder({ versions, engines: [holding(...held)] }).find().version.version).toBe(number);
  });

  it('finds the same object until the engines or the version change', () => {
    const versions = [version(1)];
    const { find, pool } = finder({ versions });
    const first = find();
    expect(find()).toBe(first);
    pool.add(engine('b'));
    expect(find().engines.map(({ id }) => id)).toEqual(['a', 'b']);
    const other = new ModelRepository([version(1, { inputShape: [1, 3] })], 'm');
    expect(findServed(other, pool, '', 0).input.shape).toEqual([1, 3]);
  });

  it('finds a version without engines if they are gone', () => {
    const only = engine('a');
    const { find } = finder({ engines: [only] });
    find();
    only.down('killed');
    expect(find().engines).toEqual([]);
  });
});

describe('findServed throws MODEL_INVALID', () => {
  const { readout } = version(1);

  it.each([
    [
      'the manifest is invalid',
      { versions: [version(1, { error: 'dt: must be > 0' })], engines: [] },
      'dt: must be > 0',
    ],
    ['the network is invalid', { pins: fakePinsOf({ error: 'node "x"' }) }, 'node "x"'],
    [
      'there is a label too few',
      { pins: fakePinsOf({ outputSize: 3 }), engines: [ofOutputs(3)] },
      '2 labels for 3 outputs',
    ],
    [
      'its events have another size',
      { versions: [version(1, { events: { ...bins, width: 2 } })] },
      '1 × 1 × 2 = 2 numbers a step, but the network takes 3',
    ],
    [
      'its separate events have another size',
      { versions: [version(1, { events: { ...bins, polarity: 'separate' } })] },
      '2 × 1 × 3 = 6 numbers a step, but the network takes 3',
    ],
  ])('if %s', (_, wanted, why) => {
    const error = errorOf(wanted);
    expect(error).toMatchObject({ kind: 'MODEL_INVALID', metadata: { model: 'm' }, violation: { field: 'model' } });
    expect(error.message).toContain('model "m" version 1 cannot be used: ');
    expect(error.message).toContain(why);
  });

  it('if its network became invalid and no engine holds it', () => {
    const only = engine('a');
    let error = '';
    const { find } = finder({ engines: [only], pins: { find: () => fakePinned({ error }) } });
    find();
    only.down('killed');
    find();
    error = 'node "x"';
    expect(() => find()).toThrow('cannot be used: node "x"');
  });

  it('not without labels, or with events of the size of its input', () => {
    const none = version(1, { readout: { ...readout, labels: [] } });
    const engines = [ofOutputs(3)];
    expect(finder({ versions: [none], engines, pins: fakePinsOf({ outputSize: 3 }) }).find().key).toBe('m/1');
    expect(finder({ versions: [version(1, { events: bins })] }).find().key).toBe('m/1');
  });

  function ofOutputs(outputSize: number): FakeEngine {
    return new FakeEngine('a').up(fakeModel({ outputSize }));
  }
});

describe('findServed throws NO_ENGINE', () => {
  it('if the model is still being read', () => {
    const error = errorOf({ pins: { find: () => undefined } });
    expect(error).toMatchObject({ kind: 'NO_ENGINE', metadata: { model: 'm/1' } });
  });

  it('if no engine has held it, with the state of the engines', () => {
    expect(errorOf({ engines: [new FakeEngine('a')] })).toMatchObject({
      kind: 'NO_ENGINE',
      metadata: { tried: '', others: 'a: down: not started' },
    });
  });
});

describe('findServed throws UNKNOWN_MODEL', () => {
  const versions = [version(1), version(2, { isUnloaded: true }), version(1, { name: 'gone', isUnloaded: true })];
  const known = 'there are: m/1';
  const load = 'is unloaded; load it with "npx tandem models load';

  it.each([
    ['nobody', 0, 'model', `there is no model "nobody"; ${known}`],
    ['nobody', 3, 'model', `there is no model "nobody" version 3; ${known}`],
    ['', 3, 'model_version', `there is no model "m" version 3; ${known}`],
    ['m', 3, 'model_version', `there is no model "m" version 3; ${known}`],
    ['m', 2, 'model', `model m/2 ${load} m"`],
    ['', 2, 'model', `model m/2 ${load} m"`],
    ['gone', 0, 'model', `model gone ${load} gone"`],
    ['gone', 1, 'model', `model gone/1 ${load} gone"`],
    ['gone', 3, 'model', `there is no model "gone" version 3; ${known}`],
    ['x'.repeat(65), 0, 'model', `there is no model "${'x'.repeat(64)}"; ${known}`],
  ])('for model "%s" version %d, and names the field %s', (name, number, field, message) => {
    const error = errorOf({ versions }, name, number);
    expect(error).toMatchObject({ kind: 'UNKNOWN_MODEL', violation: { field } });
    expect(error.message).toBe(message);
  });

  it('if there is no model at all', () => {
    expect(errorOf({ versions: [] }).message).toBe('there is no model "m"; there are: none');
    const unloaded = version(1, { isUnloaded: true });
    expect(errorOf({ versions: [unloaded] }).message).toBe(`model m ${load} m"`);
  });
});
