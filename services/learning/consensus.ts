// The consensus of several teachers: the weighted mean of their scores, and their disagreement.

export interface Consensus {
  /** Index of the highest score; the first one on a tie. */
  readonly labelIndex: number;
  readonly confidence: number;
  readonly scores: readonly number[];
  /** 0 to 1: see `disagreement`. */
  readonly disagreement: number;
}

/** `weights` sum to 1, one for each of `scores`, which have the same length, at least 1. */
export function consensus(scores: readonly (readonly number[])[], weights: readonly number[]): Consensus {
  const mean = mixture(scores, weights);
  const labelIndex = indexOfLargest(mean);
  return {
    labelIndex,
    confidence: mean[labelIndex]!,
    scores: mean,
    disagreement: disagreement(scores, weights, mean),
  };
}

/** The first one on a tie. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let largest = 0;
  for (let k = 1; k < values.length; k += 1) if (values[k]! > values[largest]!) largest = k;
  return largest;
}

/** Normalizes non-negative weights to sum 1. All are equal if none is above zero. */
export function normalized(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length));
}

function mixture(scores: readonly (readonly number[])[], weights: readonly number[]): number[] {
  const mean = Array.from({ length: scores[0]!.length }, () => 0);
  scores.forEach((row, k) => row.forEach((score, label) => (mean[label]! += weights[k]! * score)));
  return mean;
}

/** The weighted Jensen-Shannon divergence, divided by its maximum (learning.proto, `disagreement`). */
function disagreement(scores: readonly (readonly number[])[], weights: readonly number[], mean: number[]): number {
  const most = Math.min(entropy(weights), Math.log2(mean.length));
  if (!(most > 0)) return 0;
  const within = scores.reduce((sum, row, k) => sum + weights[k]! * entropy(row), 0);
  // Rounding may give slightly less than zero for equal scores.
  return Math.min(1, Math.max(0, (entropy(mean) - within) / most));
}

/** In bits. */
function entropy(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
}
