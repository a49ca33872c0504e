import { describe, expect, it } from '@jest/globals';
import { delayRows, delayedElements, nodeDelays } from './delays.ts';
import type { FlatNode } from './flatten.ts';

function delay(values: readonly number[], type: FlatNode['type'] = 'Delay'): FlatNode {
  const parameters = new Map([['delay', { shape: [values.length], values: Float64Array.from(values) }]]);
  return { name: 'd', type, parameters, integers: new Map(), sources: [] };
}

describe('nodeDelays', () => {
  it('rounds to the nearest step, and ties up', () => {
    const steps = nodeDelays(delay([0, 0.24, 0.25, 0.75, 1.2, 5]), 6, 0.5);
    expect(steps).toEqual(Uint32Array.of(0, 0, 1, 2, 2, 10));
  });

  it('has one delay for all elements', () => {
    expect(nodeDelays(delay([3]), 4, 1)).toEqual(Uint32Array.of(3, 3, 3, 3));
  });

  it('has none for other nodes', () => {
    expect(nodeDelays(delay([1], 'Scale'), 1, 1)).toBeUndefined();
  });

  it('limits the steps', () => {
    expect(nodeDelays(delay([0, 16_777_216]), 2, 1)).toEqual(Uint32Array.of(0, 16_777_216));
    const message = 'node "d": field "delay": gives a delay of more steps than the limit of 16777216 at index';
    expect(() => nodeDelays(delay([16_777_217]), 2, 1)).toThrow(`${message} 0`);
    expect(() => nodeDelays(delay([0, Infinity]), 2, 1)).toThrow(`${message} 1`);
  });
});

describe('the memory of delays', () => {
  it('has rows for the largest of them', () => {
    const delays = Uint32Array.of(1, 4, 2);
    expect([delayRows(delays), delayedElements(delays)]).toEqual([4, 12]);
    expect([delayRows(Uint32Array.of(0)), delayedElements(Uint32Array.of(0, 0))]).toEqual([0, 0]);
    expect([delayRows(undefined), delayedElements(undefined)]).toEqual([0, 0]);
  });
});
