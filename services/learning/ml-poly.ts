// Weights of the teachers: ML-Poly with a learning rate for each teacher (Gaillard, Stoltz and van Erven, "A
// second-order bound with excess losses", COLT 2014, figure 2 and theorem 5). In binary64, with + - * / and max only:
// proto/NUMERICS.md, "Learning".

/** Stored per teacher, so that a teacher may miss rounds. */
export class MlPoly {
  /** Sum of the weighted mean's loss minus the teacher's loss. */
  readonly regrets: Float64Array;
  /** The same squared. */
  readonly squares: Float64Array;
  /** Number of losses of each. */
  readonly rounds: Float64Array;

  constructor(teachers: number) {
    this.regrets = new Float64Array(teachers);
    this.squares = new Float64Array(teachers);
    this.rounds = new Float64Array(teachers);
  }

  /** Sum to 1 over the present teachers; 0 for the others. All equal if no teacher has been better than the mean. */
  weights(isPresent: readonly boolean[]): number[] {
    const weights = isPresent.map((present, k) => {
      return present ? Math.max(this.regrets[k]!, 0) / (1 + this.squares[k]!) : 0;
    });
    let total = 0;
    for (const weight of weights) total += weight;
    if (total > 0) return weights.map((weight) => weight / total);
    const present = isPresent.filter(Boolean).length;
    return isPresent.map((here) => (here ? 1 / present : 0));
  }

  /** `losses`: from 0 to 1; undefined: the teacher did not answer. Returns the loss of the weighted mean. */
  learn(losses: readonly (number | undefined)[]): number {
    const weights = this.weights(losses.map((loss) => loss !== undefined));
    let mean = 0;
    losses.forEach((loss, k) => {
      if (loss !== undefined) mean += weights[k]! * loss;
    });
    losses.forEach((loss, k) => {
      if (loss === undefined) return;
      const excess = mean - loss;
      this.regrets[k]! += excess;
      this.squares[k]! += excess * excess;
      this.rounds[k]! += 1;
    });
    return mean;
  }

  /** Upper bound of that teacher's regret for any sequence of losses. */
  bound(teacher: number): number {
    const [teachers, rounds] = [this.regrets.length, Math.max(0, ...this.rounds)];
    return Math.sqrt(teachers * (1 + Math.log(1 + rounds)) * (1 + this.squares[teacher]!));
  }
}
