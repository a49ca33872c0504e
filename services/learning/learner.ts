// The learnt state of a student: its teachers' weights and its readout. Only examples change it, one at a time, so
// equal examples in equal order give the same bits: proto/NUMERICS.md, "Learning".
import { indexOfLargest } from './consensus.ts';
import { MlPoly } from './ml-poly.ts';
import { Readout } from './readout.ts';

/** Constant properties of a student. */
export interface StudentSpec {
  readonly student: string;
  /** The model "name/version" whose mean spikes per step are the features; empty: the input itself. */
  readonly base: string;
  /** "name/version". */
  readonly teachers: readonly string[];
  readonly labels: readonly string[];
  /** Numbers of one example. */
  readonly features: number;
  /** Learning rate of the gradient steps. */
  readonly rate: number;
  /** One of this many labelled examples is held out for validation. */
  readonly heldOutEvery: number;
}

export interface Example {
  readonly features: Float32Array;
  /** Index; undefined: unlabelled. */
  readonly label: number | undefined;
  /** Scores of each teacher, in the order of the student's labels; undefined: it did not answer. */
  readonly scores: readonly (Float32Array | undefined)[];
}

/** Number of examples, and of correct answers given before each was learnt. */
export interface Tally {
  labelled: number;
  unlabelled: number;
  studentRight: number;
  consensusRight: number;
  readonly teacherRight: Float64Array;
}

export class Learner {
  readonly spec: StudentSpec;
  readonly teachers: MlPoly;
  readonly readout: Readout;
  readonly tally: Tally;

  constructor(spec: StudentSpec) {
    const { teachers, labels, features, rate } = spec;
    this.spec = spec;
    this.teachers = new MlPoly(teachers.length);
    this.readout = new Readout(features, labels.length, rate);
    const teacherRight = new Float64Array(teachers.length);
    this.tally = { labelled: 0, unlabelled: 0, studentRight: 0, consensusRight: 0, teacherRight };
  }

  /** Returns false if the example teaches nothing: no label and no teacher. */
  learn({ features, label, scores }: Example): boolean {
    const isPresent = scores.map((row) => row !== undefined);
    const hasTeacher = isPresent.includes(true);
    if (label === undefined && !hasTeacher) return false;
    const agreed = hasTeacher ? this.consensus(scores) : undefined;
    if (label === undefined) {
      this.tally.unlabelled += 1;
      this.readout.step(features, Float32Array.from(agreed!));
      return true;
    }
    this.#count(features, label, scores, agreed);
    if (hasTeacher) this.teachers.learn(scores.map((row) => row && lossOf(row, label)));
    const target = new Float32Array(this.spec.labels.length);
    target[label] = 1;
    this.readout.step(features, target);
    return true;
  }

  /** The teachers' weighted mean, in binary64, teachers in ascending order. At least one is present. */
  consensus(scores: Example['scores']): Float64Array {
    const weights = this.teachers.weights(scores.map((row) => row !== undefined));
    const mean = new Float64Array(this.spec.labels.length);
    scores.forEach((row, k) => row?.forEach((score, label) => (mean[label]! += weights[k]! * score)));
    return mean;
  }

  #count(features: Float32Array, label: number, scores: Example['scores'], agreed: Float64Array | undefined): void {
    const { tally } = this;
    tally.labelled += 1;
    if (indexOfLargest(this.readout.scores(features)) === label) tally.studentRight += 1;
    if (agreed !== undefined && indexOfLargest(agreed) === label) tally.consensusRight += 1;
    scores.forEach((row, k) => {
      if (row !== undefined && indexOfLargest(row) === label) tally.teacherRight[k]! += 1;
    });
  }
}

/** Half of the Brier score: 0 if all probability is on the label, 1 if it is on another one. */
function lossOf(scores: Float32Array, label: number): number {
  let sum = 0;
  for (let k = 0; k < scores.length; k += 1) {
    const difference = scores[k]! - (k === label ? 1 : 0);
    sum += difference * difference;
  }
  return Math.min(1, sum / 2);
}
