import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePinned, fakePins } from '../../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../../test/fakes/fake-parts.ts';
import { version } from '../../../test/fakes/router-parts.ts';
import { EnginePool } from '../../engines/pool.ts';
import { DataType } from '../../generated/inference/grpc_service.ts';
import type { EngineModel } from '../../engines/engine.ts';
import type { ModelPins } from '../../engines/model-pins.ts';
import { ModelRepository, type ModelVersion } from '../../models/repository.ts';
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

function catalogueOf(versions: ModelVersion[], pins: ModelPins = fakePins, ...models: EngineModel[]): Catalogue {
  const pool = new EnginePool(pins, fakeBreaker);
  pool.add(new FakeEngine('a').up(...models));
  return new Catalogue(new ModelRepository(versions, 'm'), pool);
}

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

  it('describes the inputs and outputs of a configuration', () => {
    const { name, platform, backend, maxBatchSize, input, output } = catalogue.config('m', '1', 7);
    expect([name, platform, backend, maxBatchSize]).toEqual(['m', 'nir', 'tandem', 7]);
    expect(input).toMatchObject([{ name: 'input', dataType: DataType.TYPE_FP32, dims: [3n] }]);
    expect(output.map(({ name, dataType, dims }) => [name, dataType, ...dims])).toEqual([
      ['scores', DataType.TYPE_FP32, 2n],
      ['label', DataType.TYPE_STRING, 1n],
      ['spike_counts', DataType.TYPE_UINT32, 2n],
      ['potentials', DataType.TYPE_FP32, 2n],
      ['total_spikes', DataType.TYPE_UINT64, 1n],
      ['state_digest', DataType.TYPE_UINT64, 1n],
      ['grade', DataType.TYPE_STRING, 1n],
      ['engine', DataType.TYPE_STRING, 1n],
    ]);
  });

  it('describes the metadata of a model with its versions that are not unloaded, highest first', () => {
    const { name, platform, versions, inputs } = catalogue.metadata('', '');
    expect([name, platform, versions]).toEqual(['m', 'nir', ['2', '1']]);
    expect(inputs).toEqual([{ name: 'input', datatype: 'FP32', shape: [-1n, 3n] }]);
  });

  it('describes a text input before the numbers of a model that takes texts', () => {
    const { inputs } = catalogueOf([{ ...version(1), tokenizer: {} } as unknown as ModelVersion]).metadata('m', '1');
    expect(inputs).toEqual([
      { name: 'text', datatype: 'BYTES', shape: [-1n, 1n] },
      { name: 'input', datatype: 'FP32', shape: [-1n, 3n] },
    ]);
  });

  it('describes a series with any number of steps', () => {
    const series = catalogueOf([version(1, { inputKind: 'series', inputShape: [2, 4] })]);
    expect(series.config('m', '1', 7).input).toMatchObject([{ dims: [-1n, 2n, 4n] }]);
  });

  it('takes the shape of an input from the network if the manifest has none', () => {
    const undefinedShape = version(1, { inputShape: undefined });
    expect(catalogueOf([undefinedShape]).itemShape(undefinedShape)).toEqual({ kind: 'constant', shape: [3] });
  });

  it('describes a model that is not read yet by its labels, and with any length if it has none', () => {
    const unread: ModelPins = { find: () => undefined };
    const labels = ['a', 'b', 'c'];
    const subject = catalogueOf(
      [
        version(1, { readout: { from: 'spike_count', labels, temperature: 1 }, inputShape: undefined }),
        version(2, { readout: { from: 'spike_count', labels: [], temperature: 1 } }),
      ],
      unread,
    );
    const scores = (number: string): unknown => subject.metadata('m', number).outputs[0]!.shape;
    expect([scores('1'), scores('2')]).toEqual([
      [-1n, 3n],
      [-1n, -1n],
    ]);
    expect(subject.itemShape(subject.find('m', '1')).shape).toEqual([0]);
    expect(subject.config('m', '2', 7).output[1]).toMatchObject({ name: 'label', dims: [1n] });
  });

  it('says why a model that the router cannot read is not ready', () => {
    const damaged: ModelPins = { find: (name, number) => fakePinned({ name, version: number, error: 'a bad graph' }) };
    expect(catalogueOf([version(1)], damaged).index(false).models).toMatchObject([
      { state: 'UNAVAILABLE', reason: 'a bad graph' },
    ]);
  });

  it('passes on an invalid version when it is asked whether a model is ready', () => {
    expect(() => catalogue.isReady('m', 'x')).toThrow(/is no number/);
  });

  it.each([
    ['', 2],
    ['1', 1],
    ['000000001', 1],
    ['2', 2],
  ])('finds version "%s"', (number, found) => {
    const subject = catalogueOf(
      [version(1), version(2)],
      fakePins,
      fakeModel({ version: 1 }),
      fakeModel({ version: 2 }),
    );
    expect(subject.find('m', number).version).toBe(found);
  });

  it.each(['0', 'one', '1.5', '-1', '1e3', '0000000001', ' 1'])('refuses %s as a version', (number) => {
    expect(() => catalogue.find('m', number)).toThrow(`version "${number}" is no number`);
  });
});
