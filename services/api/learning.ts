// LearningService: several models teach.
import { randomUUID } from 'node:crypto';
import { type CoordinateResponse, LearningServiceService, TeacherAnswer } from '../generated/tandem/v1/learning.ts';
import { type ReasonRequestWire, TeachersWire } from '../generated/tandem/wire/v1/wire.ts';
import type { EnginePool } from '../engines/pool.ts';
import type { Method } from '../grpc/method.ts';
import {
  type Coordinated,
  type TeacherOutcome,
  type TeacherQuestion,
  coordinate,
  hasAnswered,
} from '../learning/coordinate.ts';
import { teacherGroup } from '../learning/teachers.ts';
import type { ModelRepository } from '../models/repository.ts';
import { findVersion } from '../routing/find-model.ts';
import type { Router } from '../routing/router.ts';
import { decoding } from './decoding.ts';
import { fromGrade, fromKind } from './enums.ts';
import { methodsOf } from './methods.ts';
import { decodeReasonRequest, toQuestion, toReasonError } from './reason-messages.ts';
import { checkCoordinate } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

interface CoordinateQuestion {
  readonly teachers: readonly string[];
  /** Its model means nothing. */
  readonly request: ReasonRequestWire;
}

export const learningService = decoding(
  {
    ...LearningServiceService,
    coordinate: {
      ...LearningServiceService.coordinate,
      requestDeserialize: (bytes: Buffer): CoordinateQuestion => ({
        teachers: TeachersWire.decode(bytes).teachers,
        request: decodeReasonRequest(bytes),
      }),
    },
  },
  { coordinate: checkCoordinate },
);

export interface LearningParts {
  readonly router: Router;
  readonly pool: EnginePool;
  readonly models: ModelRepository;
}

export function learningMethods({ router, pool, models }: LearningParts, options: UnaryOptions): Method[] {
  return methodsOf(learningService, {
    coordinate: unary<CoordinateQuestion, CoordinateResponse>(options, async ({ teachers, request }, context) => {
      const question = toTeacherQuestion(request);
      const group = teacherGroup(teachers, (name, version) => findVersion(models, pool, name, version));
      const weights = group.teachers.map(() => 1);
      const coordinated = await coordinate(group, weights, question, router, context);
      return {
        requestId: request.requestId || randomUUID(),
        ...toConsensus(coordinated, group.labels),
        processingTimeMs: performance.now() - context.startedMs,
      };
    }),
  });
}

function toTeacherQuestion(request: ReasonRequestWire): TeacherQuestion {
  const { input, strategy, cache, vote } = toQuestion(request);
  return { input, strategy, cache, vote };
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
