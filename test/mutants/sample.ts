// Selects the mutants of a run.
import { Random } from '../fuzz/random.ts';
import type { Mutant } from './mutant.ts';

/** `count` of the mutants, selected by the seed; at most one per line, so that they are spread. */
export function sample(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const random = new Random(seed);
  const seen = new Set<string>();
  const left = [...mutants];
  const chosen: Mutant[] = [];
  while (chosen.length < count && left.length > 0) {
    const [mutant] = left.splice(random.integer(0, left.length - 1), 1);
    const location = `${mutant!.file}:${mutant!.line}`;
    if (seen.has(location)) continue;
    seen.add(location);
    chosen.push(mutant!);
  }
  return chosen;
}
