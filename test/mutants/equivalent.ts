// Mutants that no test can notice, each with its reason. They are reported and not counted.

export interface Equivalent {
  readonly file: string;
  /** The lines without their indentation. */
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

export const EQUIVALENT: readonly Equivalent[] = [];
