// LearningService: several models teach, and a student learns.
import { randomUUID } from 'node:crypto';
import { RouterError } from '../core/errors.ts';
import {
  type CoordinateResponse,
  type GetLearningStateRequest,
  type GetLearningStateResponse,
  LearningServiceService,
  type RollBackStudentRequest,
  type RollBackStudentResponse,
  TeacherAnswer,
} from '../generated/tandem/v1/learning.ts';
import { LearnRequestWire, type ReasonRequestWire, TeachersWire } from '../generated/tandem/wire/v1/wire.ts';
import type { Method } from '../grpc/method.ts';
import {
  type Coordinated,
  type TeacherOutcome,
  type TeacherQuestion,
  coordinate,
  hasAnswered,
} from '../learning/coordinate.ts';
import { type TeacherGroup, teacherGroup } from '../learning/teachers.ts';
import { decoding } from './decoding.ts';
import { fromGrade, fromKind } from './enums.ts';
import { type LearnOptions, type LearnParts, learnStream } from './learn-stream.ts';
import { toState, toStates } from './learning-state.ts';
import { methodsOf } from './methods.ts';
import { decodeReasonRequest, toQuestion, toReasonError } from './reason-messages.ts';
import { checkCoordinate, checkLearn, checkStudent } from './request-limits.ts';
import { unary } from './unary.ts';

interface CoordinateQuestion {
  readonly who: TeachersWire;
  /** The request's model is ignored. */
  readonly request: ReasonRequestWire;
}

const learningService = decoding(
  {
    ...LearningServiceService,
    coordinate: {
      ...LearningServiceService.coordinate,
      requestDeserialize: (bytes: Buffer): CoordinateQuestion => ({
        who: TeachersWire.decode(bytes),
        request: decodeReasonRequest(bytes),
      }),
    },
    learn: {
      ...LearningServiceService.learn,
      requestDeserialize: (bytes: Buffer) => LearnRequestWire.decode(bytes),
    },
  },
  { coordinate: checkCoordinate, learn: checkLearn, getLearningState: checkStudent, rollBackStudent: checkStudent },
);

export function learningMethods(parts: LearnParts, options: LearnOptions): Method[] {
  const { router, students } = parts;
  return methodsOf(learningService, {
    coordinate: unary<CoordinateQuestion, CoordinateResponse>(options, async ({ who, request }, context) => {
      const question = toTeacherQuestion(request);
      const { group, weights } = await groupOf(who, parts);
      const coordinated = await coordinate(group, weights, question, router, context);
      return {
        requestId: request.requestId || randomUUID(),
        ...toConsensus(coordinated, group.labels),
        processingTimeMs: performance.now() - context.startedMs,
      };
    }),
    learn: learnStream(parts, options),
    getLearningState: unary<GetLearningStateRequest, GetLearningStateResponse>(
      options,
      async ({ student }, { startedMs }) => ({
        students: await toStates(students, student),
        processingTimeMs: performance.now() - startedMs,
      }),
    ),
    rollBackStudent: unary<RollBackStudentRequest, RollBackStudentResponse>(
      options,
      async ({ student: name, version }, { startedMs }) => {
        await students.find(name);
        const state = await students.teach(name, async (student) => {
          await student.rollBack(version);
          return toState(student);
        });
        return { state, processingTimeMs: performance.now() - startedMs };
      },
    ),
  });
}

/** The teachers and their weights: equal, or learnt by a student. */
async function groupOf(
  { teachers, student }: TeachersWire,
  { students, findVersion }: LearnParts,
): Promise<{ group: TeacherGroup; weights: number[] }> {
  if (student === '') {
    const group = teacherGroup(teachers, findVersion);
    return { group, weights: group.teachers.map(() => 1) };
  }
  if (teachers.length > 0) {
    const message = 'teachers and student are both set; send one of them';
    throw new RouterError('INVALID_FIELD', message, { field: 'student' });
  }
  const { learner, spec } = (await students.find(student)).state;
  const group = teacherGroup(spec?.teachers ?? [], findVersion);
  return { group, weights: learner!.teachers.weights(group.teachers.map(() => true)) };
}

function toTeacherQuestion(request: ReasonRequestWire): TeacherQuestion {
  const { model: _, modelVersion: __, detail: ___, ...question } = toQuestion(request);
  return question;
}

function toConsensus(
  { label, labelIndex, confidence, scores, disagreement, teachers }: Coordinated,
  labels: readonly string[],
): Omit<CoordinateResponse, 'requestId' | 'processingTimeMs'> {
  return {
    ...{ label, labelIndex, confidence, disagreement },
    scores: [...scores],
    labels: [...labels],
    teachers: teachers.map(({ outcome, weight }) => ({ ...toTeacherAnswer(outcome), weight })),
  };
}

function toTeacherAnswer(outcome: TeacherOutcome): Omit<TeacherAnswer, 'weight'> {
  const { name: model, version: modelVersion } = outcome.version;
  if (!hasAnswered(outcome)) {
    const error = toReasonError(outcome.error);
    const { weight: _, ...nothing } = TeacherAnswer.fromPartial({ model, modelVersion });
    return { ...nothing, error };
  }
  const { answer, grade } = outcome.answer;
  const { id: engineId, kind, build } = answer.engine;
  return {
    ...{ model, modelVersion, labelIndex: outcome.labelIndex, error: undefined },
    label: answer.label,
    confidence: answer.confidence,
    scores: [...outcome.scores],
    engine: { engineId, kind: fromKind(kind), build },
    grade: fromGrade(grade),
    stateDigest: answer.inference.stateDigest,
  };
}
