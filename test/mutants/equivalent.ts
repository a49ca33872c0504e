// Mutants that no test can notice, each with its reason. They are reported and not counted.

export interface Equivalent {
  readonly file: string;
  /** The lines without their indentation. */
  readonly before: string;
  readonly after: string;
  readonly why: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: 'services/routing/router.ts',
    before: 'if (plan.every(({ free }) => free > 0)) return plan;',
    after: 'if (plan.every(({ free }) => free > 1)) return plan;',
    why: 'The line only saves work: what follows leaves such a plan in its order, too.',
  },
];
