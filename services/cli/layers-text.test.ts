import { describe, expect, it } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { LayerActivity } from '../generated/tandem/v1/reasoning.ts';
import { describeLayers } from './layers-text.ts';

const WIDTH = 80;

function layer(over: Partial<LayerActivity> = {}): LayerActivity {
  return LayerActivity.fromPartial({ node: 'lif1', neurons: 4, spikes: 6n, spikesPerStep: [0, 1, 2, 3], ...over });
}

const drawn = (layers: LayerActivity[], steps = 4, width = WIDTH): string[] =>
  describeLayers(layers, steps, width).map(stripVTControlCharacters);

describe('describeLayers', () => {
  it('returns nothing without layers', () => {
    expect(drawn([])).toEqual([]);
  });

  it('prints one line per layer, with its spikes over time', () => {
    const second = layer({ node: 'out', neurons: 10, spikes: 0n, spikesPerStep: [0, 0, 0, 0] });
    expect(drawn([layer(), second])).toEqual([
      '',
      'LAYER  NEURONS  SPIKES  FIRING  SPIKES AT EACH OF 4 STEPS',
      'lif1         4       6  37.5 %  ▁▄▆█',
      'out         10       0   0.0 %  ▁▁▁▁',
    ]);
  });

  it('fits a long run into the available columns', () => {
    const spikesPerStep = Array.from({ length: 100_000 }, (_, step) => (step < 50_000 ? 0 : 4));
    const [, head, line] = drawn([layer({ spikes: 200_000n, spikesPerStep })], 100_000);
    expect(line).toMatch(/ ▁{12}█{12}$/);
    expect(Math.max(head!.length, line!.length)).toBeLessThanOrEqual(WIDTH);
  });
});

describe('describeLayers with a raster', () => {
  it('prints one row per neuron and one column per step if they fit', () => {
    const events = { eventSteps: [0, 1, 3], eventNeurons: [0, 3, 1] };
    expect(drawn([layer(events)]).slice(3)).toEqual([
      '',
      'lif1: 1 neuron a row, 1 step a column',
      '0 │█   │',
      '1 │   █│',
      '2 │    │',
      '3 │ █  │',
    ]);
  });

  it('combines neurons and steps if they do not fit', () => {
    const eventSteps = Array.from({ length: 4_000 }, (_, event) => Math.floor(event / 4));
    const eventNeurons = Array.from({ length: 4_000 }, (_, event) => event % 4);
    const lines = drawn([layer({ neurons: 1_000, spikes: 4_000n, eventSteps, eventNeurons })], 1_000).slice(4);
    expect(lines[0]).toBe('lif1: about 42 neurons a row, about 14 steps a column');
    expect(lines).toHaveLength(1 + 24);
    expect(lines[1]).toMatch(/^ {2}0 │░+│$/); // rare spikes are visible
    expect(lines[2]).toMatch(/^ 42 │ +│$/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(WIDTH);
  });

  it('reports from which step on spikes are not listed', () => {
    const events = { eventSteps: [0, 1, 2], eventNeurons: [0, 0, 0], eventsLeftOut: 3n };
    expect(drawn([layer(events)]).at(-1)).toBe(
      '3 spikes from step 2 on are not listed: they came after the first 100,000',
    );
  });

  it('limits its output for any number of layers and any values', () => {
    const wild = layer({
      neurons: 4_294_967_295,
      spikes: 2n ** 64n - 1n,
      eventSteps: [4_294_967_295, 0],
      eventNeurons: [4_294_967_295],
    });
    const lines = drawn(Array<LayerActivity>(4_096).fill(wild));
    expect(lines.length).toBeLessThan(200);
    expect(lines.join('\n')).toContain('and 4072 more layers; see --json');
    expect(drawn([layer({ neurons: 0, eventSteps: [0], eventNeurons: [0] })], 0)).not.toEqual([]);
  });
});
