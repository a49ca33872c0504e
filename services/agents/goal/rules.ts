// AnalyzeGoal without a language model, by rules on the words. The same text always gives the same answer.
import { bare, blocksOf, capitalized, clean, sentencesOf } from '../text/sentences.ts';
import { imperativeOf, leadingVerb } from '../text/verbs.ts';
import type { GoalAnalysis } from '../types.ts';
import { isLimit, type Part, partsOf } from './constraints.ts';
import { openQuestions } from './questions.ts';

const CRITERION =
  /\b(?:so that|such that|success(?:ful(?:ly)?)?|done when|finished when|complete when|measured by|acceptance|able to|works? when|until all)\b/i;
const MAX_LINES = 50;
const MAX_SENTENCES = 1_000;

interface Sentence {
  readonly text: string;
  readonly parts: readonly Part[];
}

export function analyzeByRules(text: string): GoalAnalysis {
  const lines = blocksOf(text)
    .flatMap((block) => (block.item ? [block.text] : sentencesOf(clean(block.text))))
    .slice(0, MAX_SENTENCES);
  const questions = lines.filter((line) => line.endsWith('?'));
  const sentences = lines
    .filter((line) => !line.endsWith('?'))
    .map((line) => ({ text: bare(line), parts: partsOf(line) }))
    .filter(({ text: own }) => own !== '');
  const main = mainOf(sentences) ?? { text: bare(clean(text)), parts: [] };
  const rest = sentences.filter((sentence) => sentence !== main);
  const constraints = unique([
    ...main.parts.map(({ text: part }) => capitalized(part)),
    ...rest.flatMap((sentence) => constraintsIn(sentence)),
  ]);
  const deadlines = sentences.flatMap(({ parts }) => parts.filter(({ kind }) => kind === 'deadline'));
  const isDeadline = (constraint: string): boolean =>
    deadlines.some(({ text: when }) => capitalized(when) === constraint);
  const goal = goalOf(main);
  const stated = [main, ...rest].map(({ text: own }) => own).filter((own) => CRITERION.test(own));
  const measured = constraints.filter((constraint) => /\d/.test(constraint) && !isDeadline(constraint));
  return {
    goal,
    constraints,
    successCriteria: unique([
      ...stated.map(criterionOf),
      ...measured.map((constraint) => `Measured: ${constraint}`),
      ...deadlines.map(({ text: when }) => `Reached ${when}`),
      ...(stated.length + measured.length === 0 ? [`It can be shown to somebody else: ${goal}`] : []),
    ]),
    openQuestions: unique(
      openQuestions({
        ...{ text: clean(text), questions },
        hasDeadline: deadlines.length > 0,
        hasCriterion: stated.length + measured.length > 0,
      }),
    ),
  };
}

/** The first sentence that says what to do, or else the first sentence. */
function mainOf(sentences: readonly Sentence[]): Sentence | undefined {
  return (
    sentences.find(({ text }) => imperativeOf(text) !== text && !isNegative(text)) ??
    sentences.find(({ text }) => leadingVerb(text) !== undefined) ??
    sentences[0]
  );
}

function isNegative(text: string): boolean {
  return /\b(?:must|should|shall|can|do|does|will) ?not\b|n't\b/i.test(text);
}

/** The goal without its limits, which are listed separately. An amount stays: usually it is the target itself. */
function goalOf({ text, parts }: Sentence): string {
  let goal = text;
  const apart = parts.filter(({ kind, text: part }) => kind !== 'amount' || /^for\b/i.test(part));
  for (const { start, end } of apart.toReversed()) goal = `${goal.slice(0, start)} ${goal.slice(end)}`;
  const [wanted = ''] = goal.split(/\b(?:so that|such that)\b/i);
  const plain = clean(imperativeOf(clean(wanted)))
    .replaceAll(/\s+([,;.])/g, '$1')
    .replace(/[\s,;]*\b(?:and|or|but|for|with)?[\s,;]*$/i, '');
  return capitalized(plain === '' ? text : plain);
}

function constraintsIn({ text, parts }: Sentence): string[] {
  if (isLimit(text)) return [capitalized(text)];
  return parts.map(({ text: part }) => capitalized(part));
}

/** "…, so that users can pay" → "Users can pay". */
function criterionOf(text: string): string {
  return capitalized(bare(/\b(?:so|such) that\s+(.+)$/i.exec(text)?.[1] ?? text));
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)].slice(0, MAX_LINES);
}
