import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import type { Detail, LayerActivity } from '../core/inference.ts';
import { RouterError } from '../core/errors.ts';
import { checkLayers } from './check-layers.ts';
import { MAX_LAYER_COUNTS, MAX_RASTER_EVENTS } from './engine.ts';
import { checkDetailSize } from './detail-size.ts';

function layer(over: Partial<LayerActivity> = {}): LayerActivity {
  return {
    node: 'lif',
    neurons: 4,
    spikes: 3,
    spikesPerStep: [1, 2],
    eventSteps: [0, 1, 1],
    eventNeurons: [3, 0, 2],
    eventsLeftOut: 0,
    ...over,
  };
}

const counts = (over: Partial<LayerActivity> = {}): LayerActivity =>
  layer({ eventSteps: [], eventNeurons: [], ...over });
const MODEL = { layers: [{ node: 'lif', neurons: 4 }], spikesPerNeuron: 1 };

const check = (layers: readonly LayerActivity[] | undefined, detail: Detail = 'RASTER', totalSpikes = 3n): string =>
  checkLayers(fakeInference({ steps: 2, totalSpikes, layers }), { detail }, MODEL);

describe('checkLayers', () => {
  it.each<[string, readonly LayerActivity[] | undefined, Detail]>([
    ['no layers if none were requested', undefined, 'SUMMARY'],
    ['a raster', [layer()], 'RASTER'],
    ['only counts', [counts()], 'LAYERS'],
    ['a truncated raster', [layer({ eventSteps: [0], eventNeurons: [3], eventsLeftOut: 2 })], 'RASTER'],
  ])('accepts %s', (_, layers, detail) => {
    expect(check(layers, detail)).toBe('');
  });

  it.each([
    ['a wrong number of counts', layer({ spikesPerStep: [3] }), 'without a count for each step'],
    ['counts that do not add up', layer({ spikesPerStep: [1, 1] }), 'do not add up to its spikes'],
    ['more spikes in a step than neurons', layer({ spikes: 6, spikesPerStep: [1, 5] }), 'more spikes in a step than'],
    ['events without neurons', layer({ eventNeurons: [1] }), 'lack a step or a neuron'],
    ['events that do not add up', layer({ eventsLeftOut: 1 }), 'do not add up to the spikes of their layer'],
    ['infinitely many events left out', layer({ eventsLeftOut: Infinity }), 'do not add up'],
    ['infinitely many spikes', layer({ spikes: Infinity }), 'do not add up'],
    ['an event after the last step', layer({ eventSteps: [0, 1, 2] }), 'after the last step'],
    ['an event of a missing neuron', layer({ eventNeurons: [4, 0, 2] }), 'a neuron that the layer does not have'],
    ['steps out of order', layer({ eventSteps: [1, 1, 0] }), 'out of order'],
    ['neurons out of order', layer({ eventNeurons: [3, 2, 2] }), 'out of order'],
    ['events in other steps than spikes', layer({ eventSteps: [0, 0, 1], eventNeurons: [0, 1, 0] }), 'than spikes'],
    ['another name than in the model', layer({ node: 'evil' }), 'a layer that does not match the model'],
    ['more neurons than in the model', layer({ neurons: 5 }), 'a layer that does not match the model'],
  ])('refuses %s', (_, wrong, problem) => {
    expect(check([wrong])).toContain(problem);
  });

  it('accepts a step in which all neurons fire, as often as they can', () => {
    const all = { layers: MODEL.layers, spikesPerNeuron: 2 };
    const of = (spikes: number, model: typeof all): string => {
      const layers = [counts({ spikes, spikesPerStep: [0, spikes] })];
      return checkLayers(fakeInference({ steps: 2, totalSpikes: BigInt(spikes), layers }), { detail: 'LAYERS' }, model);
    };
    expect([of(4, MODEL), of(8, all)]).toEqual(['', '']);
    expect(of(9, all)).toBe('a layer with more spikes in a step than its neurons can have');
  });

  it('accepts a repeated neuron only if neurons can fire several times in a step', () => {
    const layers = [layer({ eventNeurons: [3, 2, 2] })];
    const run = fakeInference({ steps: 2, totalSpikes: 3n, layers });
    expect(checkLayers(run, { detail: 'RASTER' }, { ...MODEL, spikesPerNeuron: 2 })).toBe('');
  });

  it('refuses a sum of spikes that differs from the run’s', () => {
    expect(check([layer()], 'RASTER', 4n)).toBe('layers whose spikes do not add up to those of the run');
    expect(check([layer()], 'RASTER', 2n ** 64n - 1n)).toBe('layers whose spikes do not add up to those of the run');
  });

  it('refuses layers or events that were not requested', () => {
    expect(check([layer()], 'SUMMARY')).toBe('layers that were not asked for');
    expect(check([layer()], 'LAYERS')).toBe('events that were not asked for');
  });

  it('refuses missing, extra or reordered layers', () => {
    const model = { layers: ['a', 'b'].map((node) => ({ node, neurons: 4 })), spikesPerNeuron: 1 };
    const of = (...names: string[]): string => {
      const layers = names.map((node) => counts({ node }));
      const totalSpikes = BigInt(3 * names.length);
      return checkLayers(fakeInference({ steps: 2, totalSpikes, layers }), { detail: 'LAYERS' }, model);
    };
    expect(of('a', 'b')).toBe('');
    expect(of('b', 'a')).toBe('a layer that does not match the model');
    expect([of('a'), of('a', 'b', 'b')]).toEqual(Array(2).fill('a number of layers that is not the model’s'));
  });

  it('requires layers if requested, unless only digests were requested', () => {
    const none = fakeInference({ layers: undefined as never });
    expect(checkLayers(none, { detail: 'LAYERS' }, MODEL)).toBe('no layers, though they were asked for');
    expect(checkLayers(none, { detail: 'LAYERS', digestOnly: true }, MODEL)).toBe('');
    expect(checkLayers(none, { detail: 'LAYERS' }, { layers: [], spikesPerNeuron: 1 })).toBe('');
  });

  it('refuses more counts or events than the limit', () => {
    const steps = 100_000;
    const quiet = (node: string): LayerActivity => counts({ node, spikes: 0, spikesPerStep: Array(steps).fill(0) });
    const of = (...layers: LayerActivity[]): string =>
      checkLayers(
        fakeInference({ steps, totalSpikes: 0n, layers }),
        { detail: 'LAYERS' },
        { layers, spikesPerNeuron: 1 },
      );
    expect(of(quiet('a'), quiet('b'))).toBe('');
    expect(of(quiet('a'), quiet('b'), quiet('c'))).toBe('more counts in layers than an answer may have');
    const events = Array<number>(100_001).fill(0);
    expect(check([layer({ eventSteps: events, eventNeurons: events })])).toBe(
      'more events in layers than an answer may have',
    );
  });

  it('accepts exactly as many counts and events as the limit', () => {
    const steps = MAX_LAYER_COUNTS;
    const loud = (fewer: number, more: number): LayerActivity => {
      const events = MAX_RASTER_EVENTS + more - fewer;
      return {
        ...{ node: 'a', neurons: 4, spikes: MAX_RASTER_EVENTS, eventsLeftOut: fewer },
        spikesPerStep: Array.from({ length: steps }, (_, step) => Number(step < MAX_RASTER_EVENTS)),
        eventSteps: Array.from({ length: events }, (_, n) => n),
        eventNeurons: Array<number>(events).fill(0),
      };
    };
    const of = (layer: LayerActivity): string => {
      const totalSpikes = BigInt(layer.spikes);
      return checkLayers(
        fakeInference({ steps, totalSpikes, layers: [layer] }),
        { detail: 'RASTER' },
        { layers: [layer], spikesPerNeuron: 1 },
      );
    };
    expect(of(loud(0, 0))).toBe('');
    expect(of(loud(1, 0))).toBe('');
    expect(of(loud(0, 1))).toBe('more events in layers than an answer may have');
    const { spikesPerStep } = loud(0, 0);
    expect(of({ ...loud(0, 0), spikesPerStep: [...spikesPerStep, 0] })).toBe(
      'more counts in layers than an answer may have',
    );
  });
});

describe('checkDetailSize', () => {
  it.each([
    ['LAYERS', { layers: 2, outputs: 1_000_000 }],
    ['RASTER', { layers: 2, outputs: 1_000_000 }],
    ['READOUT', { layers: 1_000_000, outputs: 2 }],
  ] as const)('accepts %s up to its limit and refuses one step more', (detail, sizes) => {
    expect(() => checkDetailSize(detail, MAX_LAYER_COUNTS / 2, sizes)).not.toThrow();
    expect(() => checkDetailSize(detail, MAX_LAYER_COUNTS / 2 + 1, sizes)).toThrow(RouterError);
  });
});
