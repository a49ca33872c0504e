// Checks that a peer computes the same. Its sums may have another order than ours, so a potential within a rounding
// error of its threshold may cross it in one program only; nothing else may differ.
type Counts = readonly (readonly (readonly number[])[])[];

export interface Agreement {
  /** The share of all output neurons of all inputs with equal spike counts. */
  readonly equalShare: number;
  /** The largest difference of one neuron's count. */
  readonly largest: number;
}

const LEAST_SHARE = 0.99;

/** undefined: the subject computes no network. */
export function agreementOf(ours: Counts, theirs: Counts): Agreement | undefined {
  const expected = ours[0]?.flat() ?? [];
  let [equal, all, largest] = [0, 0, 0];
  for (const counts of theirs) {
    for (const [index, count] of counts.flat().entries()) {
      const difference = Math.abs(count - (expected[index] ?? Infinity));
      largest = Math.max(largest, difference);
      all += 1;
      if (difference === 0) equal += 1;
    }
  }
  return all === 0 ? undefined : { equalShare: equal / all, largest };
}

export function checkAgreement(name: string, { equalShare }: Agreement): void {
  if (equalShare >= LEAST_SHARE) return;
  throw new Error(
    `${name} has the same spike count as our engine in ${(equalShare * 100).toFixed(1)} % of the output neurons only; ` +
      `at least ${LEAST_SHARE * 100} % is needed for a peer`,
  );
}
