import { describe, expect, it } from '@jest/globals';
import { chain, compileGraph, node } from '../../../test/support/run-network.ts';
import { RouterError } from '../../core/errors.ts';
import type { InputSpec } from './input-check.ts';
import { checkDetail, checkInput, checkStateSize, checkTrace, refuseNotFinite } from './input-check.ts';
import type { Network } from './network.ts';

const constant: InputSpec = { kind: 'constant', shape: [2, 3], size: 6, steps: 9 };
const series: InputSpec = { kind: 'series', shape: [2, 3], size: 6, steps: 9 };
const MAX_STEPS = 100_000;

function refusalOf(check: () => unknown): unknown {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    return [error.kind, error.metadata, error.violation?.field];
  }
}

function stepsOf(spec: InputSpec, shape: readonly number[], bytes: number): unknown {
  return refusalOf(() => checkInput({ model: 'm', version: 0, shape, data: new Uint8Array(bytes) }, spec));
}

const shape = (kind: string) => [kind, { field: 'shape' }, 'shape'];

describe('checkInput', () => {
  it.each<[string, InputSpec, readonly number[], number, unknown]>([
    ['a constant', constant, [2, 3], 24, 9],
    ['a flat constant', constant, [6], 24, 9],
    ['a series', series, [4, 2, 3], 96, 4],
    ['a flat series', series, [4, 6], 96, 4],
    ['one step', series, [1, 6], 24, 1],
    ['a series for a constant', constant, [1, 2, 3], 24, shape('INPUT_KIND')],
    ['a flat series for a constant', constant, [1, 6], 24, shape('INPUT_KIND')],
    ['a constant for a series', series, [2, 3], 24, shape('INPUT_KIND')],
    ['a flat constant for a series', series, [6], 24, shape('INPUT_KIND')],
    ['other dimensions', constant, [3, 2], 24, shape('INPUT_LENGTH')],
    ['another length', constant, [5], 20, shape('INPUT_LENGTH')],
    ['no dimensions', constant, [], 0, shape('INPUT_LENGTH')],
    ['a series of another width', series, [4, 5], 80, shape('INPUT_LENGTH')],
    ['no steps', series, [0, 6], 0, shape('INPUT_STEPS')],
    ['most steps', series, [MAX_STEPS, 6], 24 * MAX_STEPS, MAX_STEPS],
    ['too many steps', series, [MAX_STEPS + 1, 6], 0, shape('INPUT_STEPS')],
    ['too little data', constant, [6], 20, ['INPUT_LENGTH', { field: 'data' }, 'data']],
    ['too much data', series, [2, 6], 49, ['INPUT_LENGTH', { field: 'data' }, 'data']],
  ])('gives the steps of %s, or why it is refused', (_, spec, dimensions, bytes, expected) => {
    expect(stepsOf(spec, dimensions, bytes)).toEqual(expected);
  });

  it('takes a series of single numbers', () => {
    const single: InputSpec = { kind: 'series', shape: [1], size: 1, steps: 0 };
    expect([stepsOf(single, [5, 1], 20), stepsOf(single, [5], 20)]).toEqual([5, shape('INPUT_LENGTH')]);
  });

  it('shows the shape that the model takes, and the first numbers of the one that was sent', () => {
    const send = (spec: InputSpec, dimensions: readonly number[]) => () => {
      checkInput({ model: 'm', version: 0, shape: dimensions, data: new Uint8Array(0) }, spec);
    };
    expect(send(constant, [1, 2, 3, 4, 5, 6, 7, 8, 9])).toThrow('takes shape [2, 3], got [1, 2, 3, 4, 5, 6, 7, 8]');
    expect(send(series, [7])).toThrow('takes shape [steps, 2, 3], got [7]');
  });
});

describe('refuseNotFinite', () => {
  it('names the first number that is not finite', () => {
    expect(refuseNotFinite(Float32Array.of(1, -0, 3e38))).toBeUndefined();
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(refuseNotFinite(Float32Array.of(1, 2, bad, bad))).toEqual({
        ...{ kind: 'INPUT_NOT_FINITE', metadata: { field: 'data', index: '2' } },
        message: `element 2 is ${bad}; send finite numbers only`,
      });
    }
  });
});

const fires = node('IF', { r: 1, v_threshold: 1 });
const deep = compileGraph(chain(1, 1, { a: fires, b: fires, c: node('LI', { tau: 1, r: 1, v_leak: 0 }) }), 'dt: 1');

describe('checkDetail', () => {
  it.each([
    ['LAYERS', 125_000],
    ['RASTER', 125_000],
    ['READOUT', 250_000],
  ] as const)('limits the numbers of %s', (detail, most) => {
    expect(refusalOf(() => checkDetail(deep, most, detail))).toBeUndefined();
    expect(refusalOf(() => checkDetail(deep, most + 1, detail))).toEqual([
      'DETAIL_TOO_LARGE',
      { max_counts: '250000' },
      undefined,
    ]);
  });
});

describe('checkStateSize', () => {
  // 52 bytes, and 4 for each count and potential of the readout and each potential of a neuron.
  const wide = (width: number): Network => compileGraph(chain(width, width, { n: fires }), 'dt: 1');
  const most = (4_000_000 - 52) / 12;

  it('limits the bytes of a state', () => {
    expect(refusalOf(() => checkStateSize('m', wide(most)))).toBeUndefined();
    expect(refusalOf(() => checkStateSize('m', wide(most + 1)))).toEqual([
      'STATE_TOO_LARGE',
      { field: 'return_state' },
      'return_state',
    ]);
  });
});

describe('checkTrace', () => {
  const trace = (steps: number, place?: { readonly step: number; readonly node: string }): unknown => {
    return refusalOf(() => checkTrace('m', deep, steps, place));
  };

  it('limits the digests of a whole trace', () => {
    expect(trace(200_000)).toBeUndefined();
    expect(trace(200_001)).toEqual(['TRACE_TOO_LARGE', { digests: '1000005', max_digests: '1000000' }, undefined]);
  });

  it('accepts the steps and nodes of the run only', () => {
    for (const step of [0, 3]) expect(trace(4, { step, node: 'b' })).toBeUndefined();
    for (const step of [-1, 4, NaN]) {
      expect(trace(4, { step, node: 'b' })).toEqual(['TRACE_STEP', { steps: '4' }, undefined]);
    }
    expect(trace(4, { step: 0, node: 'd' })).toEqual(['TRACE_NODE', { node: 'd' }, undefined]);
  });

  it.each([
    ['control characters', 'a\u0000b\u001fc d\u007f~', 'a?b?c d?~'],
    ['200 bytes', 'n'.repeat(200), 'n'.repeat(200)],
    ['more than 200 bytes', 'n'.repeat(201), `${'n'.repeat(200)}...`],
    ['more than 200 bytes in another script', '神'.repeat(68), `${'神'.repeat(67)}...`],
  ])('shows a name of %s so that it can be printed', (_, name, shown) => {
    expect(trace(1, { step: 0, node: name })).toEqual(['TRACE_NODE', { node: shown }, undefined]);
  });
});
