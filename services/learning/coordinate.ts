// Sends one input to several teachers at once, through the router's request path, and computes their consensus.
import { throwIfCancelled } from '../core/call.ts';
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { ModelVersion } from '../models/repository.ts';
import type { ReasonQuestion } from '../routing/question.ts';
import type { ReasonAnswer, Router } from '../routing/router.ts';
import { type Consensus, consensus, normalized } from './consensus.ts';
import { type Teacher, type TeacherGroup, keyOf } from './teachers.ts';

/** Share of the caller's time for the teachers: if one is too slow, the others' answers can still be used. */
const TEACHERS_SHARE = 0.9;

export type Asker = Pick<Router, 'reason'>;
/** The question for each teacher. */
export type TeacherQuestion = Omit<ReasonQuestion, 'model' | 'modelVersion'>;

export interface Answered {
  readonly version: ModelVersion;
  readonly answer: ReasonAnswer;
  readonly labelIndex: number;
  /** In the order of the group's labels. */
  readonly scores: readonly number[];
}

export interface Failed {
  readonly version: ModelVersion;
  readonly error: RouterError;
}

export type TeacherOutcome = Answered | Failed;

export interface Coordinated extends Consensus {
  readonly label: string;
  /** In the group's order, each with its weight in the consensus: 0 if it failed. */
  readonly teachers: readonly { readonly outcome: TeacherOutcome; readonly weight: number }[];
}

export function hasAnswered(outcome: TeacherOutcome): outcome is Answered {
  return 'answer' in outcome;
}

/**
 * `weights`: one for each teacher, at least 0. Rejects if the caller is gone. If no teacher answers, rejects with the
 * first error's kind and all reasons in the message.
 */
export async function coordinate(
  { labels, teachers }: TeacherGroup,
  weights: readonly number[],
  question: TeacherQuestion,
  router: Asker,
  context: CallContext,
): Promise<Coordinated> {
  const outcomes = await askTeachers(teachers, question, router, context);
  const isAnswered = outcomes.map(hasAnswered);
  const answered = outcomes.filter(hasAnswered);
  if (answered.length === 0) throw noTeacher(outcomes.filter((outcome) => 'error' in outcome));
  const parts = normalized(weights.filter((_, k) => isAnswered[k]));
  const mean = consensus(
    answered.map(({ scores }) => scores),
    parts,
  );
  let next = 0;
  return {
    ...mean,
    label: labels[mean.labelIndex]!,
    teachers: outcomes.map((outcome) => ({ outcome, weight: hasAnswered(outcome) ? parts[next++]! : 0 })),
  };
}

/** One outcome for each teacher, in order. Rejects if the caller is gone. */
export async function askTeachers(
  teachers: readonly Teacher[],
  question: TeacherQuestion,
  router: Asker,
  context: CallContext,
): Promise<TeacherOutcome[]> {
  const now = performance.now();
  const limits = { deadlineMs: now + (context.deadlineMs - now) * TEACHERS_SHARE, signal: context.signal };
  const outcomes = await Promise.all(teachers.map((teacher) => ask(teacher, question, router, limits)));
  throwIfCancelled(context);
  return outcomes;
}

async function ask(
  { version, order }: Teacher,
  question: TeacherQuestion,
  router: Asker,
  context: CallContext,
): Promise<TeacherOutcome> {
  try {
    const whole = { ...question, model: version.name, modelVersion: version.version };
    const answer = await router.reason(whole, context);
    const scores = order.map((own) => answer.answer.scores[own]!);
    return { version, answer, scores, labelIndex: order.indexOf(answer.answer.labelIndex) };
  } catch (thrown) {
    const error = RouterError.from(thrown);
    if (error.kind === 'INTERNAL') throw error; // a bug of ours is not a teacher's failure
    return { version, error };
  }
}

function noTeacher(failed: readonly Failed[]): RouterError {
  const { kind, metadata, violation, retryAfterMs } = failed[0]!.error;
  const reasons = failed.map(({ version, error }) => `${keyOf(version)}: ${error.message}`).join('; ');
  return new RouterError(kind, `no teacher answered: ${reasons}`, {
    metadata,
    ...(violation && { field: violation.field }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}
