// DecomposeTask without a language model: the steps that the text names, in the order that its words give.
import { analyzeByRules } from '../goal/rules.ts';
import type { Task } from '../types.ts';
import { dependenciesOf, lastOf } from './order.ts';
import { MAX_TASKS } from './provider-tasks.ts';
import { planOf, type Step } from './steps.ts';
import { doneWhen, estimateOf, titleOf } from './wording.ts';

interface Draft {
  readonly title: string;
  readonly dependsOn: readonly number[];
  readonly doneWhen: string;
  readonly estimate: Task['estimate'];
}

const CHECK_HOURS = 2;
const RULE = 'RULE' as const;

export function decomposeByRules(text: string): readonly Task[] {
  const { steps, remarks } = planOf(text);
  const kept = fitting(inDoingOrder(steps));
  return numbered(kept.length > 1 ? withCheck(draftsOf(kept), remarks) : aroundOne(text, kept[0]));
}

function draftsOf(steps: readonly Step[]): Draft[] {
  const dependencies = dependenciesOf(steps);
  return steps.map(({ text }, index) => ({
    title: titleOf(text),
    dependsOn: dependencies[index]!,
    doneWhen: doneWhen(text),
    estimate: estimateOf(text),
  }));
}

/** The parts of a nested step come before the step itself. */
function inDoingOrder(steps: readonly Step[]): Step[] {
  const ordered: Step[] = [];
  const open: Step[] = [];
  const close = (level: number): void => {
    while (open.length > 0 && open.at(-1)!.level >= level) ordered.push({ ...open.pop()!, order: 'all' });
  };
  for (const [index, step] of steps.entries()) {
    close(step.level);
    if ((steps[index + 1]?.level ?? 0) > step.level) open.push(step);
    else ordered.push(step);
  }
  close(0);
  return ordered;
}

/** One task is reserved for the final check, and one for the steps beyond the limit. */
function fitting(steps: readonly Step[]): readonly Step[] {
  const room = MAX_TASKS - 2;
  if (steps.length <= room + 1) return steps;
  const text = `Do the other ${steps.length - room} steps of the text`;
  return [...steps.slice(0, room), { text, order: 'previous', level: 0 }];
}

/** Demands on the result are checked at the end. */
function withCheck(drafts: readonly Draft[], remarks: readonly string[]): Draft[] {
  if (remarks.length === 0) return [...drafts];
  const check: Draft = {
    title: 'Check what the text demands of the result',
    dependsOn: lastOf(drafts.map(({ dependsOn }) => dependsOn)),
    doneWhen: `It holds: ${remarks.join('; ')}.`,
    estimate: { hours: CHECK_HOURS, basis: RULE },
  };
  return [...drafts, check];
}

/** A text without steps: first settle the open questions, then do it, then check the result. */
function aroundOne(text: string, step: Step | undefined): Draft[] {
  const { goal, successCriteria, openQuestions } = analyzeByRules(text);
  const main = step?.text ?? goal;
  const settle: Draft[] =
    openQuestions.length === 0
      ? []
      : [
          {
            ...{ title: 'Settle what is open', dependsOn: [] },
            doneWhen: `It is answered: ${openQuestions.join(' ')}`,
            estimate: { hours: CHECK_HOURS, basis: RULE },
          },
        ];
  const work = settle.length;
  return [
    ...settle,
    {
      ...{ title: titleOf(main), dependsOn: settle.map((_, index) => index) },
      ...{ doneWhen: doneWhen(main), estimate: estimateOf(text) },
    },
    {
      ...{ title: 'Check the result', dependsOn: [work] },
      doneWhen: successCriteria.join('; '),
      estimate: { hours: CHECK_HOURS, basis: RULE },
    },
  ];
}

function numbered(drafts: readonly Draft[]): Task[] {
  const idOf = (index: number): string => `t${index + 1}`;
  return drafts.map(({ dependsOn, ...draft }, index) => ({
    ...draft,
    id: idOf(index),
    dependsOn: dependsOn.map(idOf),
  }));
}
