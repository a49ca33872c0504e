// Finds the steps that must come before each step.
import { contentWords } from '../text/words.ts';
import type { Step } from './steps.ts';

const PRONOUN = /\b(?:it|them|these|those|this|its|their|the results?)\b/i;
const EVERYTHING = /\b(?:everything|all of (?:it|them|this)|the whole)\b/i;
const DEFINITE =
  /\b(?:the|this|that|these|those|its|their|each|every|all)\s+([\p{L}\p{N}'’-]+(?:\s+[\p{L}\p{N}'’-]+)?)/giu;

/**
 * For each step, the indices of its predecessors; all are smaller than its own. Nested steps come before their parent.
 */
export function dependenciesOf(steps: readonly Step[]): number[][] {
  const words = steps.map(({ text }) => new Set(contentWords(text)));
  const found: number[][] = [];
  for (const [index, { text, order }] of steps.entries()) {
    const previous = index === 0 ? [] : [index - 1];
    if (order === 'previous') found.push(previous);
    else if (order === 'same') found.push(index === 0 ? [] : found[index - 1]!);
    else if (order === 'all' || EVERYTHING.test(text)) found.push(lastOf(found));
    else found.push(PRONOUN.test(text) ? previous : referredTo(text, words, index));
  }
  return found;
}

/** Steps without a successor. */
export function lastOf(dependencies: readonly (readonly number[])[]): number[] {
  const needed = new Set(dependencies.flat());
  return dependencies.map((_, index) => index).filter((index) => !needed.has(index));
}

/** Example: "the parser" refers to the latest earlier step about a parser. */
function referredTo(text: string, words: readonly ReadonlySet<string>[], index: number): number[] {
  const things = [...text.matchAll(DEFINITE)].flatMap(([, thing = '']) => contentWords(thing));
  const indexes = things.map((thing) => words.findLastIndex((each, at) => at < index && each.has(thing)));
  return [...new Set(indexes.filter((at) => at >= 0))].sort((a, b) => a - b);
}
