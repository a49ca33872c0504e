// Along one axis: the outputs that an input element affects, and the kernel index of each.
import type { Axis } from './window.ts';

interface Taps {
  /** For each input element: its number of taps, and kernel index and output of the first. */
  readonly count: Int32Array;
  readonly kernel: Int32Array;
  readonly out: Int32Array;
  /** Difference from one tap to the next: kernel index up, output index down. */
  readonly kernelStep: number;
  readonly outStep: number;
}

/**
 * Output o takes input o * stride + k * dilation - before. For an input i, the k are those for which i + before -
 * k * dilation is a multiple of the stride, from 0 to (out - 1) * stride.
 */
export function tapsOf({ in: size, out, kernel, stride, dilation, before }: Axis): Taps {
  const common = greatestCommonDivisor(stride, dilation);
  const kernelStep = stride / common;
  const outStep = dilation / common;
  const inverse = inverseModulo(outStep, kernelStep);
  const taps = { count: new Int32Array(size), kernel: new Int32Array(size), out: new Int32Array(size) };
  const furthest = (out - 1) * stride;
  for (let i = 0; i < size; i += 1) {
    const at = i + before;
    if (at % common !== 0) continue;
    const low = at > furthest ? Math.ceil((at - furthest) / dilation) : 0;
    const high = Math.min(kernel - 1, Math.floor(at / dilation));
    const wanted = (((at / common) % kernelStep) * inverse) % kernelStep; // k modulo kernelStep
    const first = low + modulo(wanted - low, kernelStep);
    if (first > high) continue;
    taps.kernel[i] = first;
    taps.out[i] = (at - first * dilation) / stride;
    taps.count[i] = Math.floor((high - first) / kernelStep) + 1;
  }
  return { ...taps, kernelStep, outStep };
}

function modulo(a: number, m: number): number {
  return ((a % m) + m) % m;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The inverse of `a` modulo `m`, which are coprime; 0 if m is 1. */
function inverseModulo(a: number, m: number): number {
  let [r, nextR, t, nextT] = [m, a % m, 0, 1];
  while (nextR !== 0) {
    const q = Math.floor(r / nextR);
    [r, nextR] = [nextR, r - q * nextR];
    [t, nextT] = [nextT, t - q * nextT];
  }
  return modulo(t, m);
}
