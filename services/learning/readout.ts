// The student's readout: softmax regression by gradient steps, in the arithmetic of proto/NUMERICS.md, "Learning", so
// that every implementation has the same bits after any number of steps. No math library functions are used.
import { exponentialDecay } from '../engines/local/decay-factor.ts';

const { fround } = Math;

/**
 * Exponent of the average over the steps: later steps count more (Shamir and Zhang, "Stochastic gradient descent for
 * non-smooth optimization", ICML 2013, section 4).
 */
const AVERAGING = 3;

export class Readout {
  /** A row of features for each label. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** The averages over all steps, which are published. */
  readonly meanWeights: Float32Array;
  readonly meanBias: Float32Array;
  steps = 0;
  readonly #rate: number;

  constructor(features: number, labels: number, rate: number) {
    this.weights = new Float32Array(features * labels);
    this.bias = new Float32Array(labels);
    this.meanWeights = new Float32Array(features * labels);
    this.meanBias = new Float32Array(labels);
    this.#rate = fround(rate);
  }

  /** The probability of each label, computed from the averages. */
  scores(features: Float32Array): Float32Array {
    return softmax(affine(features, this.meanWeights, this.meanBias));
  }

  /** One gradient step of the cross-entropy. `target`: the desired probability of each label. */
  step(features: Float32Array, target: Float32Array): void {
    const scores = softmax(affine(features, this.weights, this.bias));
    const rate = fround(this.#rate / fround(1 + squared(features)));
    this.steps += 1;
    const part = fround((AVERAGING + 1) / fround(this.steps + AVERAGING));
    const { weights, bias, meanWeights, meanBias } = this;
    for (let label = 0; label < bias.length; label += 1) {
      const change = fround(rate * fround(scores[label]! - target[label]!));
      const row = label * features.length;
      for (let k = 0; k < features.length; k += 1) {
        const at = row + k;
        const weight = fround(weights[at]! - fround(change * features[k]!));
        weights[at] = weight;
        meanWeights[at] = fround(meanWeights[at]! + fround(fround(weight - meanWeights[at]!) * part));
      }
      bias[label] = fround(bias[label]! - change);
      meanBias[label] = fround(meanBias[label]! + fround(fround(bias[label]! - meanBias[label]!) * part));
    }
  }
}

/** As a node of type Affine. */
function affine(features: Float32Array, weights: Float32Array, bias: Float32Array): Float32Array {
  const sums = Float32Array.from(bias);
  for (let label = 0; label < sums.length; label += 1) {
    const row = label * features.length;
    let sum = sums[label]!;
    for (let k = 0; k < features.length; k += 1) {
      const feature = features[k]!;
      if (feature !== 0) sum = fround(sum + fround(weights[row + k]! * feature));
    }
    sums[label] = sum;
  }
  return sums;
}

function squared(features: Float32Array): number {
  let sum = 0;
  for (const feature of features) sum = fround(sum + fround(feature * feature));
  return sum;
}

/** exp(-x) is 1 - D(x), with D from NUMERICS.md. */
function softmax(sums: Float32Array): Float32Array {
  const largest = sums.reduce((most, sum) => Math.max(most, sum), -Infinity);
  let total = 0;
  const parts = Float64Array.from(sums, (sum) => {
    const part = 1 - exponentialDecay(largest - sum);
    total += part;
    return part;
  });
  return Float32Array.from(parts, (part) => part / total);
}
