// Splits a text into steps in the order of the text, each with the order that its words ask for.
import { bare, blocksOf, clean, sentencesOf } from '../text/sentences.ts';
import { imperativeOf, leadingVerb, verbOfGerund } from '../text/verbs.ts';

/**
 * The predecessors of a step. 'previous': the step before it. 'all': every step before it. 'same': those of the step
 * before it, so that both can be done at once. 'own': the steps that its words refer to.
 */
export type Order = 'previous' | 'all' | 'same' | 'own';

export interface Step {
  readonly text: string;
  readonly order: Order;
  /** Depth in a nested list, from 0. */
  readonly level: number;
}

interface Plan {
  readonly steps: readonly Step[];
  /** Sentences that are not steps but demands on the result. */
  readonly remarks: readonly string[];
}

const NEXT =
  /^(?:and |but )?(?:then|next|after (?:that|this|which)|afterwards?|subsequently|second(?:ly)?|third(?:ly)?|fourth(?:ly)?)\b[,:]?\s*/i;
const LAST = /^(?:and )?(?:finally|lastly|last|at the end|in the end|to finish)\b[,:]?\s*/i;
const FIRST = /^(?:first(?:ly)?|to begin with|to start with|begin by|start by)\b[,:]?\s*/i;
const SAME = /^(?:and )?(?:meanwhile|at the same time|in parallel|simultaneously|in the meantime|while)\b[,:]?\s*/i;
const AND = /^(?:and|but|also)\b,?\s*/i;
/** Places where a sentence may continue with another step. */
const BREAK = /;\s+|,?\s+(?=(?:and\s+)?then\b)|,?\s+(?=and\b)|,\s+(?=\S)|\s+(?=before\b)|\s+(?=while\b)|\s+[—–]\s+/gi;
const BEFORE = /^before\s+([^,]{1,300}),\s*(.+)$/i;
const AFTER = /^(?:after|once|when|as soon as)\s+([^,]{1,300}),\s*(.+)$/i;
const MAX_STEPS = 1_000;

export function planOf(text: string): Plan {
  const blocks = blocksOf(text);
  const hasList = blocks.filter(({ item }) => item !== undefined).length > 1;
  const steps: Step[] = [];
  const remarks: string[] = [];
  for (const { text: own, item } of blocks) {
    if (hasList && item !== undefined) {
      const { rest, order } = orderOf(own, item.isNumbered && steps.length > 0 ? 'previous' : 'own');
      if (rest !== '') steps.push({ text: rest, order, level: item.level });
      continue;
    }
    for (const sentence of sentencesOf(clean(own))) {
      if (hasList) {
        if (!sentence.endsWith(':') && leadingVerb(sentence) === undefined) remarks.push(bare(sentence));
        continue;
      }
      const found = stepsOf(bare(sentence), steps.length === 0);
      if (found.length > 0) steps.push(...found);
      else if (bare(sentence) !== '') remarks.push(bare(sentence));
    }
  }
  return { steps: steps.slice(0, MAX_STEPS), remarks };
}

/** The steps of one sentence; empty if it does not say what to do. */
function stepsOf(sentence: string, isFirst: boolean): Step[] {
  const { rest, order } = orderOf(sentence, isFirst ? 'own' : 'previous');
  const [, event = '', preparation = ''] = BEFORE.exec(rest) ?? [];
  const [, condition = '', main = ''] = AFTER.exec(rest) ?? [];
  const later = asImperative(event);
  if (later !== undefined) {
    const steps = stepsOf(preparation, isFirst);
    if (steps.length > 0) return [...steps, step(later, 'previous')];
  }
  const done = asImperative(condition);
  if (done !== undefined) {
    const steps = stepsOf(main, false);
    if (steps.length > 0) return [step(done, order), { ...steps[0]!, order: 'previous' }, ...steps.slice(1)];
  } else if (main !== '' && leadingVerb(main) !== undefined) {
    return [step(rest, isFirst ? 'own' : 'previous')];
  }
  const steps: Step[] = [];
  for (const clause of clausesOf(rest)) {
    const found = orderOf(clause.text, steps.length === 0 ? order : clause.order);
    const [, after] = /^before\s+(.+)$/i.exec(found.rest) ?? [];
    const converted = asImperative(after ?? found.rest);
    const verb = converted ?? (leadingVerb(found.rest) === undefined ? undefined : found.rest);
    if (verb === undefined) {
      const last = steps.pop();
      if (last === undefined) return [];
      steps.push({ ...last, text: `${last.text} ${clause.text}` });
    } else steps.push(step(verb, after === undefined ? found.order : 'previous'));
  }
  return steps;
}

function step(text: string, order: Order): Step {
  return { text: bare(text), order, level: 0 };
}

/** A sentence is split where the rest is a step, too. Steps joined only by "and" can be done in any order. */
function clausesOf(sentence: string): { readonly text: string; readonly order: Order }[] {
  const clauses: { text: string; order: Order }[] = [];
  let start = 0;
  let order: Order = 'own';
  for (const { 0: separator, index } of sentence.matchAll(BREAK)) {
    const rest = sentence.slice(index + separator.length);
    const { rest: next } = orderOf(rest, 'own');
    const later = next.replace(/^before\s+/i, '');
    const isStep = leadingVerb(later) !== undefined || (later !== next && asImperative(later) !== undefined);
    if (!isStep || index <= start) continue;
    clauses.push({ text: sentence.slice(start, index), order });
    start = index + separator.length;
    order = separator.trim() === '' ? 'own' : 'previous';
  }
  return [...clauses, { text: sentence.slice(start), order }];
}

/** The order that the first words ask for, and the text without them. `otherwise`: the result if they ask for none. */
function orderOf(text: string, otherwise: Order): { rest: string; order: Order } {
  for (const [pattern, order] of [
    [NEXT, 'previous'],
    [LAST, 'all'],
    [FIRST, 'own'],
    [SAME, 'same'],
  ] as const) {
    const found = pattern.exec(text);
    if (found !== null && found[0].length < text.length) return { rest: text.slice(found[0].length), order };
  }
  const and = AND.exec(text);
  return { rest: and === null ? text : text.slice(and[0].length), order: otherwise };
}

/** "testing the app" → "test the app"; undefined: it does not begin with a gerund. */
function asImperative(clause: string): string | undefined {
  const [word = '', rest = ''] = /^(\S+)(.*)$/.exec(imperativeOf(clause))?.slice(1) ?? [];
  const verb = verbOfGerund(word);
  return verb === undefined ? undefined : `${verb}${rest}`;
}
