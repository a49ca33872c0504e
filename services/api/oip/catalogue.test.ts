import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../../test/fakes/fake-parts.ts';
import { version } from '../../../test/fakes/router-parts.ts';
import { EnginePool } from '../../engines/pool.ts';
import { ModelRepository } from '../../models/repository.ts';
import { Catalogue } from './catalogue.ts';

let engine: FakeEngine;
let catalogue: Catalogue;

beforeEach(() => {
  const pool = new EnginePool(fakePins, fakeBreaker);
  engine = new FakeEngine('a').up(fakeModel());
  pool.add(engine);
  const versions = [
    version(1),
    version(2, { error: 'its file is damaged' }),
    version(3, { isUnloaded: true }),
    version(1, { name: 'other', readout: { from: 'spike_count', labels: [], temperature: 1 } }),
  ];
  catalogue = new Catalogue(new ModelRepository(versions, 'm'), pool);
});

describe('the catalogue of the Open Inference Protocol', () => {
  it.each([
    ['m', '1', true, 'an engine holds it'],
    ['m', '2', false, 'its file is damaged'],
    ['m', '4', false, 'there is no such version'],
    ['other', '1', false, 'no engine holds it'],
  ])('says of %s version %s that it is ready: %s, since %s', (name, number, isReady) => {
    expect(catalogue.isReady(name, number)).toBe(isReady);
  });

  it('says that a model is not ready once its engine is lost', () => {
    engine.down('gone');
    expect(catalogue.isReady('m', '1')).toBe(false);
  });

  it('lists every version with its state, and the reason if it is not ready', () => {
    const { models } = catalogue.index(false);
    expect(models.map(({ name, version, state, reason }) => `${name}/${version} ${state} ${reason}`)).toEqual([
      'm/1 READY ',
      'm/2 UNAVAILABLE its file is damaged',
      'm/3 UNAVAILABLE unloaded',
      'other/1 UNAVAILABLE no engine that is ready holds it',
    ]);
    expect(catalogue.index(true).models.map(({ version }) => version)).toEqual(['1']);
  });

  it('describes the outputs with one element for each label or output of the model, or one', () => {
    const { outputs } = catalogue.metadata('m', '1');
    expect(outputs.map(({ name, shape }) => `${name} ${shape.join()}`)).toEqual([
      'scores -1,2',
      'label -1,1',
      'spike_counts -1,2',
      'potentials -1,2',
      'total_spikes -1,1',
      'state_digest -1,1',
      'grade -1,1',
      'engine -1,1',
    ]);
  });

  it.each(['0', 'one', '1.5', '-1'])('refuses %s as a version', (number) => {
    expect(() => catalogue.find('m', number)).toThrow(`version "${number}" is no number`);
  });
});
