// Limits that a text states: whole sentences with "must", "should", "only" and the like, and parts of a sentence that
// name a deadline, an amount or an exclusion.
import { bare } from '../text/sentences.ts';

const MODAL =
  /\b(?:must|should|shall|may not|cannot|can't|can not|needs? to|has to|have to|required?|requires|mandatory|only|never|always|at most|at least|no more than|no less than|limited to|budget|deadline|constraint|avoid|except|not allowed|without)\b/i;

const NUMBER = String.raw`(?:[$€£]\s?)?\d+(?:[.,]\d+){0,6}(?:\s?(?:[kKmM]\b|%|[$€£]))?`;
const NO_UNIT =
  'and|or|but|by|before|after|until|within|without|with|using|for|on|in|at|of|to|from|the|a|an|so|than|when|while|that|which|is|are|per';
const UNIT = String.raw`(?:(?:\s|-)?(?!(?:${NO_UNIT})\b)[a-zA-Zµ°/]{1,20}){0,2}(?:\s?(?:per|a)\s[a-z]{1,20})?`;
const LIMIT =
  '(?:within|under|below|less than|fewer than|at most|up to|no more than|not more than|at least|no less than|more than|over|above|exactly|a? ?max(?:imum)?(?: of)?|a? ?min(?:imum)?(?: of)?)';
const TIME = String.raw`(?:\d{1,6}(?:\.\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)[\s-]?(?:hours?|h|days?|weeks?|months?|quarters?|years?)`;
const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*';
const DAY = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)';
const WHEN = `(?:${MONTH}\\.? \\d{1,2}(?:st|nd|rd|th)?(?:,? \\d{4})?|\\d{1,2}(?:st|nd|rd|th)? ${MONTH}(?: \\d{4})?|${MONTH}(?: \\d{4})?|\\d{4}-\\d{2}-\\d{2}|\\d{1,2}[./]\\d{1,2}(?:[./]\\d{2,4})?|(?:next |this )?${DAY}|(?:the )?(?:end|start|beginning|middle) of (?:the |this |next )?\\w+|tomorrow|tonight|noon|midnight|next \\w+|q[1-4](?: \\d{4})?|\\d{1,2}(?::\\d{2})? ?(?:am|pm)|\\d{4})`;
/** What ends an exclusion: the next clause. */
const REST = String.raw`[^,;.:()]{1,120}?(?=$|[,;.:()]|\s(?:and|but|so|by|before|until|within|in order|while|for|at|with)\s)`;

/** Of one sentence. */
const MAX_PARTS = 100;

/** Parts of a sentence, each with its kind. */
const PARTS: readonly (readonly [kind: PartKind, pattern: RegExp])[] = [
  ['deadline', new RegExp(`\\b(?:by|before|until|no later than|not later than|due(?: on| by)?)\\s+${WHEN}\\b`, 'gi')],
  ['deadline', new RegExp(`\\b(?:within|in(?: less than| under| at most)?)\\s+(?:the next )?${TIME}\\b`, 'gi')],
  ['means', new RegExp(`\\b(?:keeping|with)\\s+[^,;.]{1,60}?\\s${LIMIT}\\s+${NUMBER}${UNIT}`, 'gi')],
  ['amount', new RegExp(`(?:\\bfor )?\\b${LIMIT}\\s+${NUMBER}${UNIT}`, 'gi')],
  ['amount', new RegExp(String.raw`(?:[<>≤≥]=?)\s?${NUMBER}${UNIT}`, 'gi')],
  [
    'exclusion',
    new RegExp(`\\b(?:without|except(?: for)?|avoiding|excluding|but not|rather than|instead of)\\s+${REST}`, 'gi'),
  ],
  ['means', new RegExp(`\\b(?:using|with only|only (?:with|in|on|for|by))\\s+${REST}`, 'gi')],
];

type PartKind = 'deadline' | 'amount' | 'exclusion' | 'means';

export interface Part {
  readonly kind: PartKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** In the order of the sentence; where two overlap, the longer one. */
export function partsOf(sentence: string): Part[] {
  const found = PARTS.flatMap(([kind, pattern]) =>
    [...sentence.matchAll(pattern)].map(({ 0: text, index: start }) => ({
      ...{ kind, start, end: start + text.length, text: bare(text).trim() },
    })),
  )
    .slice(0, MAX_PARTS)
    .sort((a, b) => b.end - b.start - (a.end - a.start) || a.start - b.start);
  const kept: Part[] = [];
  for (const part of found) {
    if (kept.every(({ start, end }) => part.end <= start || part.start >= end)) kept.push(part);
  }
  return kept.sort((a, b) => a.start - b.start);
}

/** Whether the whole sentence is a limit. */
export function isLimit(sentence: string): boolean {
  return MODAL.test(sentence);
}
