import { describe, expect, it } from '@jest/globals';
import { tapsOf } from './taps.ts';
import type { Axis } from './window.ts';

/** Kernel index and output of each tap. */
function pairs(axis: Axis, input: number): (readonly [number, number])[] {
  const taps = tapsOf(axis);
  return Array.from({ length: taps.count[input]! }, (_, n) => {
    return [taps.kernel[input]! + n * taps.kernelStep, taps.out[input]! - n * taps.outStep] as const;
  });
}

function pairsByDefinition({ out, kernel, stride, dilation, before }: Axis, input: number): [number, number][] {
  const found: [number, number][] = [];
  for (let k = 0; k < kernel; k += 1) {
    for (let o = 0; o < out; o += 1) if (o * stride + k * dilation - before === input) found.push([k, o]);
  }
  return found;
}

describe('tapsOf', () => {
  it('matches the definition for small strides, dilations, kernels and paddings', () => {
    const some = [1, 2, 3, 4];
    for (const stride of some) {
      for (const dilation of some) {
        for (const kernel of some) {
          for (const before of [0, 1, 5]) {
            const size = 9;
            const reach = dilation * (kernel - 1) + 1;
            if (size + 2 * before < reach) continue;
            const out = Math.floor((size + 2 * before - reach) / stride) + 1;
            const axis = { in: size, out, kernel, stride, dilation, before };
            for (let input = 0; input < size; input += 1) {
              expect([axis, input, pairs(axis, input)]).toEqual([axis, input, pairsByDefinition(axis, input)]);
            }
          }
        }
      }
    }
  });
});
