import { describe, expect, it } from '@jest/globals';
import type { Trace } from '../engines/engine.ts';
import { firstDifference, firstElement } from './replay-compare.ts';

const nodes = ['input', 'lif', 'output'];
const bytes = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

function trace(digests: readonly bigint[], over: Partial<Trace> = {}): Trace {
  const none = new Uint8Array(0);
  return {
    nodes,
    digests: BigUint64Array.from(digests),
    current: none,
    potential: none,
    output: none,
    ended: '',
    ...over,
  };
}

describe('firstDifference', () => {
  it('returns the first step and node whose digests differ', () => {
    expect(firstDifference(trace([1n, 2n, 3n, 4n, 9n, 9n]), trace([1n, 2n, 3n, 4n, 5n, 6n]))).toEqual({
      step: 1,
      node: 'lif',
    });
  });

  it('prefers a difference of digests to a difference of length', () => {
    expect(firstDifference(trace([1n, 9n, 9n], { ended: 'NON_FINITE' }), trace([1n, 2n, 3n, 4n, 5n, 6n]))).toEqual({
      step: 0,
      node: 'lif',
    });
  });

  it.each([
    [
      trace([1n, 2n, 3n], { ended: 'NON_FINITE' }),
      trace([1n, 2n, 3n, 4n, 5n, 6n]),
      'it ended with NON_FINITE and they went on',
    ],
    [trace([1n, 2n, 3n, 4n, 5n, 6n]), trace([1n, 2n, 3n]), 'it went on and they ended'],
    [trace([1n, 2n, 3n]), trace([1n, 2n, 3n], { ended: 'NON_FINITE' }), 'it ended and they ended with NON_FINITE'],
  ])('says that one run ended before the other (%#)', (one, other, words) => {
    expect(firstDifference(one, other)).toBe(`it did as the others until step 1, where ${words}`);
  });

  it('says that equal traces show no difference', () => {
    expect(firstDifference(trace([1n, 2n, 3n]), trace([1n, 2n, 3n]))).toMatch(/^its trace shows no difference/);
  });

  it('says that the networks have other nodes or another order', () => {
    expect(firstDifference(trace([], { nodes: ['input'] }), trace([]))).toMatch(/other nodes/);
    expect(firstDifference(trace([], { nodes: ['lif', 'input', 'output'] }), trace([]))).toMatch(/another order/);
  });
});

describe('firstElement', () => {
  it('searches the current, then the potential, then the output', () => {
    const values = trace([], { current: bytes(1, 2), potential: bytes(3, 4), output: bytes(0, 1) });
    const others = trace([], { current: bytes(1, 2), potential: bytes(3, 5), output: bytes(0, 0) });
    expect(firstElement(values, others)).toEqual({
      element: 1,
      quantity: 'potential',
      valueBits: 0x40800000,
      referenceBits: 0x40a00000,
    });
  });

  it('compares bits: +0 differs from −0', () => {
    const [a, b] = [bytes(0), bytes(-0)].map((output) => trace([], { output }));
    expect(firstElement(a!, b!)).toMatchObject({ quantity: 'output', valueBits: 0, referenceBits: 0x80000000 });
  });

  it('is undefined if all are equal, even for unaligned bytes', () => {
    const larger = Buffer.alloc(20);
    larger.set(bytes(1, 2), 5);
    const values = trace([], { output: larger.subarray(5, 13) });
    expect(firstElement(values, trace([], { output: bytes(1, 2) }))).toBeUndefined();
  });
});
