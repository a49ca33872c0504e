// Tests whether one of two classifiers is better than the other on the same rows, or whether that is chance. Both tests
// are two-sided.

/**
 * The corrected t-test of repeated cross-validation: Nadeau and Bengio ("Inference for the generalization error", Machine
 * Learning 52, 2003) with Bouckaert and Frank's use of it (PAKDD 2004). The runs share most of their training rows, so
 * their differences vary less than those of independent runs. The correction adds the missing variance.
 *
 * `differences`: of each run. `testShare`: test rows for each training row of a run.
 */
export function correctedTTest(differences: readonly number[], testShare: number): { mean: number; p: number } {
  const runs = differences.length;
  const mean = differences.reduce((sum, each) => sum + each, 0) / runs;
  const variance = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (runs - 1);
  const t = mean / Math.sqrt((1 / runs + testShare) * variance);
  return { mean, p: studentP(t, runs - 1) };
}

/** The probability that Student's t is as far from 0 as `t`. Abramowitz and Stegun, 26.7.3 and 26.7.4. */
export function studentP(t: number, freedom: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k <= freedom - 2; k += 2) {
    term *= cosine * cosine * ((k - 1) / k);
    sum += term;
  }
  const within = isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return Math.max(0, 1 - within);
}

/** McNemar's exact test. `better`, `worse`: rows that only the first, or only the second, has right. */
export function mcNemar(better: number, worse: number): number {
  const n = better + worse;
  let [logTerm, sum] = [-n * Math.LN2, 0];
  for (let k = 0; k <= Math.min(better, worse); k += 1) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * sum);
}
