import { describe, expect, it } from '@jest/globals';
import { fakeModel, fakePinned } from '../../test/fakes/fake-engine.ts';
import type { ModelPins } from './model-pins.ts';
import { checkModels } from './model-problems.ts';

const pin = fakePinned();
const pins: ModelPins = { find: (name, version) => (name === 'm' && version === 1 ? pin : undefined) };

describe('checkModels', () => {
  it('accepts models that match the repository', () => {
    expect(checkModels([fakeModel()], pins)).toMatchObject({ known: [fakeModel()], usable: [pin], problems: [] });
  });

  it.each([
    [
      'other weights',
      { modelId: 8n },
      'it holds other weights or run settings: model id 0000000000000008, the repository has 0000000000000007',
    ],
    ['an error', { modelId: 0n, error: 'node "n": no' }, 'it cannot use it: node "n": no'],
    [
      'other inputs',
      { inputSize: 4 },
      'it says that it has 4 inputs and 2 outputs; the repository has 3 inputs and 2 outputs',
    ],
    [
      'other outputs',
      { outputSize: 9 },
      'it says that it has 3 inputs and 9 outputs; the repository has 3 inputs and 2 outputs',
    ],
    [
      'a different number of steps',
      { steps: 17 },
      'it runs 17 steps, the repository says 16; compare model.yaml of both',
    ],
  ])('reports a problem with %s', (_, over, why) => {
    expect(checkModels([fakeModel(over)], pins)).toMatchObject({ usable: [], problems: [{ model: 'm/1', why }] });
  });

  it('accepts any steps if the engine states none or the input sets them', () => {
    const series: ModelPins = { find: () => fakePinned({ inputKind: 'series' }) };
    expect(checkModels([fakeModel({ steps: 0 })], pins).problems).toEqual([]);
    expect(checkModels([fakeModel({ steps: 17 })], series).problems).toEqual([]);
  });

  it('ignores models that are not in the repository or not read yet', () => {
    const others = [fakeModel({ name: 'other' }), fakeModel({ version: 2 })];
    expect(checkModels(others, pins)).toMatchObject({ known: [], usable: [], problems: [] });
  });

  it('ignores models that the router cannot read either', () => {
    const broken: ModelPins = { find: () => fakePinned({ modelId: 0n, error: 'model.nir: damaged' }) };
    expect(checkModels([fakeModel({ error: 'damaged' })], broken)).toMatchObject({ usable: [], problems: [] });
    expect(checkModels([fakeModel({ modelId: 0n })], broken)).toMatchObject({ usable: [], problems: [] });
  });

  it('counts a model once if an engine lists it twice', () => {
    expect(checkModels([fakeModel(), fakeModel()], pins).usable).toEqual([pin]);
    expect(checkModels([fakeModel({ modelId: 8n }), fakeModel()], pins).usable).toEqual([]);
    expect(checkModels([fakeModel(), fakeModel()], pins).known).toEqual([fakeModel()]);
  });
});
