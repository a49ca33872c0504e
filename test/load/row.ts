/** One line of `npm run bench`. */
export interface Row {
  /** What is measured, against what. */
  readonly what: string;
  readonly ours: number;
  readonly peer: number;
  readonly unit: string;
  /** The figure to compare; `reads` says how to read it. */
  readonly ratio: number;
  readonly reads: string;
  /** The required ratio. */
  readonly bar?: number;
}
