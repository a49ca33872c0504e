// One small change to the product's code that a test should detect.

export interface Mutant {
  /** Path from the repository's root. */
  readonly file: string;
  /** The first line is 1. */
  readonly line: number;
  readonly operator: string;
  /** The line, or the lines, before and after. */
  readonly before: string;
  readonly after: string;
}

export type Judgement =
  /** `by`: the test that failed, or "timeout". */
  | { readonly verdict: 'killed'; readonly by: string }
  | { readonly verdict: 'survived' }
  /** The changed code does not build, so it is not counted. */
  | { readonly verdict: 'not built' };

/** The tests of one language, which judge mutants. */
export interface Suite {
  readonly name: string;
  /** The number of mutants that it judges at the same time. */
  readonly atOnce: number;
  /** Creates the working copy and runs the tests of these mutants on unchanged code. Throws an error if one fails. */
  prepare(mutants: readonly Mutant[], progress: (text: string) => void): Promise<void>;
  /** Every mutant that the suite can make. */
  mutants(): readonly Mutant[];
  judge(mutant: Mutant): Promise<Judgement>;
}

/** Returns the changed text of the mutant's file. Throws an error if the file has changed since. */
export function mutate(text: string, { file, line, before, after }: Mutant): string {
  const lines = text.split('\n');
  if (lines[line - 1] !== before) throw new Error(`${file}:${line} is not what it was; list the mutants again`);
  lines[line - 1] = after;
  return lines.join('\n');
}
