// Formats the answers of agents for people.
import {
  type AnalyzeGoalResponse,
  type DecomposeTaskResponse,
  EstimateBasis,
  Source,
  type Task,
  fallbackReasonToJSON,
} from '../generated/tandem/v1/agents.ts';
import { visible } from '../core/visible.ts';
import { bare } from './words.ts';

type Origin = Pick<AnalyzeGoalResponse, 'source' | 'fallbackReason' | 'fallbackDetail' | 'cost'>;

export function goalText(response: AnalyzeGoalResponse): string {
  const { goal, constraints, successCriteria, openQuestions } = response;
  return [
    oneLine(goal),
    ...section('Constraints', constraints),
    ...section('Success criteria', successCriteria),
    ...section('Open questions', openQuestions),
    '',
    originText(response),
  ].join('\n');
}

export function tasksText(response: DecomposeTaskResponse): string {
  const { tasks } = response;
  const width = Math.max(0, ...tasks.map(({ id }) => oneLine(id).length));
  return [
    ...tasks.flatMap((task) => taskLines(task, width)),
    '',
    `${hoursText(sum(tasks.map(hoursOf)))} of work; ${hoursText(longestPath(tasks))} where what can be done at the same time is`,
    originText(response),
  ].join('\n');
}

/** What answered, why, and at what cost. */
export function originText({ source, fallbackReason, fallbackDetail, cost }: Origin): string {
  const tokens = Number(cost?.promptTokens ?? 0n) + Number(cost?.completionTokens ?? 0n);
  const most = cost?.isUpperBound ? 'at most ' : '';
  const spent = (cost?.calls ?? 0) === 0 ? '' : `; ${most}${tokens} tokens, $${(cost?.usd ?? 0).toFixed(4)}`;
  if (source === Source.SOURCE_PROVIDER) return `answered by ${oneLine(cost?.model ?? '')}${spent}`;
  const reason = bare(fallbackReasonToJSON(fallbackReason), 'FALLBACK_REASON_');
  return `answered by rules, ${reason}: ${oneLine(fallbackDetail)}${spent}`;
}

function section(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', head, ...lines.map((line) => `  - ${oneLine(line)}`)];
}

function taskLines({ id, title, dependsOn, doneWhen, estimate }: Task, width: number): string[] {
  const after = dependsOn.length === 0 ? '' : `, after ${dependsOn.map(oneLine).join(', ')}`;
  const guess = estimate?.basis === EstimateBasis.ESTIMATE_BASIS_STATED ? '' : 'about ';
  const margin = ' '.repeat(width + 2);
  return [
    `${oneLine(id).padEnd(width)}  ${oneLine(title)} (${guess}${hoursText(estimate?.hours ?? 0)}${after})`,
    `${margin}${oneLine(doneWhen)}`,
  ];
}

function hoursOf({ estimate }: Task): number {
  return estimate?.hours ?? 0;
}

function hoursText(hours: number): string {
  return hours < 1 ? `${Math.max(1, Math.round(hours * 60))} min` : `${Number(hours.toFixed(1))} h`;
}

/** Hours until the last task is done. Every task comes after its dependencies. */
function longestPath(tasks: readonly Task[]): number {
  const ends = new Map<string, number>();
  for (const task of tasks) {
    const start = Math.max(0, ...task.dependsOn.map((id) => ends.get(id) ?? 0));
    ends.set(task.id, start + hoursOf(task));
  }
  return Math.max(0, ...ends.values());
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Puts a text from callers, documents or models on one line. */
export function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, ' ').trim());
}
