// Accuracy of a student and weights of its teachers over time, with a bounded number of points.
import type { Learner } from './learner.ts';

const MAX_POINTS = 256;

export interface CurvePoint {
  /** Labelled examples before this point. */
  readonly examples: number;
  /** One for each teacher. */
  readonly weights: readonly number[];
  readonly regrets: readonly number[];
  readonly bounds: readonly number[];
  /** Accuracy on labelled examples before each was learnt, since the previous point. */
  readonly studentAccuracy: number;
  readonly consensusAccuracy: number;
  readonly teacherAccuracy: readonly number[];
}

interface Right {
  readonly examples: number;
  readonly student: number;
  readonly consensus: number;
  readonly teachers: readonly number[];
}

export class Curve {
  points: CurvePoint[] = [];
  #stride = 1;
  #before: Right = { examples: 0, student: 0, consensus: 0, teachers: [] };

  /** Call after each example. */
  add({ tally, teachers }: Learner): void {
    const { labelled: examples, studentRight: student, consensusRight: consensus, teacherRight } = tally;
    if (examples - this.#before.examples < this.#stride) return;
    const share = (now: number, before: number): number => (now - before) / (examples - this.#before.examples);
    const isPresent = Array.from(teacherRight, () => true);
    this.points.push({
      examples,
      weights: teachers.weights(isPresent),
      regrets: [...teachers.regrets],
      bounds: isPresent.map((_, k) => teachers.bound(k)),
      studentAccuracy: share(student, this.#before.student),
      consensusAccuracy: share(consensus, this.#before.consensus),
      teacherAccuracy: Array.from(teacherRight, (right, k) => share(right, this.#before.teachers[k] ?? 0)),
    });
    this.#before = { examples, student, consensus, teachers: [...teacherRight] };
    if (this.points.length < MAX_POINTS) return;
    this.points = this.points.filter((_, at) => at % 2 === 1);
    this.#stride *= 2;
  }
}
