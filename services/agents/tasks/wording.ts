// Derives from a task's words its title, its check and its duration.
import { statedHours } from '../text/durations.ts';
import { bare, capitalized, clean, shortened } from '../text/sentences.ts';
import { imperativeOf, kindOfVerb, leadingVerb, type VerbKind } from '../text/verbs.ts';
import type { Estimate } from '../types.ts';

const STATED_CRITERION = /\b(?:until|so that|such that|done when|which is done when)\s+(.+)$/i;

const PRONOUN = /^(?:it|them|this|these|that|those|both|everything)$/i;

const DONE: Readonly<Record<VerbKind, (title: string, object: string) => string>> = {
  learn: (_, object) => `What was found about ${object} is written down.`,
  decide: (_, object) => `The decision about ${object} is written down, with its reason.`,
  make: (title) => `The result of “${title}” is there, and a second person has looked at it.`,
  check: (_, object) => `Every check of ${object} has passed, and what failed is written down.`,
  release: (title) => `“${title}” has happened, and its users have it.`,
  repair: (_, object) => `The problem with ${object} does not come back when it is provoked.`,
};

/** Usual hours of such a task: a guess, and marked as one. */
const USUAL_HOURS: Readonly<Record<VerbKind, number>> = {
  learn: 4,
  decide: 2,
  make: 8,
  check: 4,
  release: 2,
  repair: 4,
};
const OTHER_HOURS = 4;

export function titleOf(step: string): string {
  return shortened(capitalized(bare(clean(imperativeOf(step)))));
}

export function doneWhen(step: string): string {
  const stated = STATED_CRITERION.exec(step)?.[1];
  if (stated !== undefined) return `${capitalized(bare(clean(stated)))}.`;
  const title = titleOf(step);
  const verb = leadingVerb(step);
  const kind = verb === undefined ? undefined : kindOfVerb(verb);
  if (kind === undefined) return `“${title}” is done, and a second person agrees.`;
  return DONE[kind](title, objectOf(step, verb!));
}

/** The object of the verb. */
function objectOf(step: string, verb: string): string {
  const object = shortened(bare(clean(imperativeOf(step)).slice(verb.length).trim()));
  return object === '' || PRONOUN.test(object) ? 'the result' : object;
}

export function estimateOf(step: string): Estimate {
  const stated = statedHours(step);
  if (stated !== undefined) return { hours: stated, basis: 'STATED' };
  const verb = leadingVerb(step);
  const kind = verb === undefined ? undefined : kindOfVerb(verb);
  return { hours: kind === undefined ? OTHER_HOURS : USUAL_HOURS[kind], basis: 'RULE' };
}
