// One stream of examples. Teachers answer several examples at once; they are learnt in the order in which they arrived.
import { RouterError } from '../core/errors.ts';
import type { CallContext } from '../core/inference.ts';
import type { RawInput } from '../routing/check-input.ts';
import type { Asker } from './coordinate.ts';
import { askTeachers, hasAnswered } from './coordinate.ts';
import { featuresOf } from './features.ts';
import type { Example } from './learner.ts';
import type { CommitRecord } from './student-state.ts';
import type { Student } from './student.ts';
import { type TeacherGroup, keyOf } from './teachers.ts';

/** Maximum stored reasons of skipped examples. */
const MAX_REASONS = 8;
const MAX_WEIGHTS = 4_194_304;

export interface LearnPlan {
  readonly student: string;
  /** "name/version"; empty: the features are the input itself. */
  readonly base: string;
  readonly teachers: TeacherGroup;
  readonly rate: number;
  readonly heldOutEvery: number;
  /** Examples between commits; 0: commit only at the end. */
  readonly commitEvery: number;
}

export interface RawExample {
  readonly input: RawInput;
  /** If set, the input is computed from it, and `input` is empty. */
  readonly text?: string;
  /** Empty: unlabelled. */
  readonly label: string;
}

interface LearnResult {
  readonly learnt: number;
  readonly heldOut: number;
  readonly skipped: number;
  /** Reasons of the first skipped examples. */
  readonly skippedReasons: readonly string[];
  readonly commits: readonly CommitRecord[];
}

export class LearnSession {
  #learnt = 0;
  #heldOut = 0;
  #skipped = 0;
  readonly #reasons: string[] = [];
  readonly #commits: CommitRecord[] = [];
  readonly #student: Student;
  readonly #plan: LearnPlan;
  readonly #router: Asker;
  #next = 0;

  constructor(student: Student, plan: LearnPlan, router: Asker) {
    this.#student = student;
    this.#plan = plan;
    this.#router = router;
  }

  get result(): LearnResult {
    return {
      ...{ learnt: this.#learnt, heldOut: this.#heldOut, skipped: this.#skipped },
      ...{ skippedReasons: this.#reasons, commits: this.#commits },
    };
  }

  /** Prepares an example; returns an error if its input or label cannot be used. Rejects if the caller is gone. */
  async prepare({ label, ...input }: RawExample, context: CallContext): Promise<Example | RouterError> {
    const { teachers, base } = this.#plan;
    const question = { ...input, strategy: undefined, cache: 'USE', vote: undefined } as const;
    const index = label === '' ? undefined : teachers.labels.indexOf(label);
    if (index === -1) {
      const known = teachers.labels.slice(0, 8).join(', ');
      return new RouterError('INVALID_FIELD', `label "${label.slice(0, 64)}" is not one of the student’s: ${known}, …`);
    }
    const [features, outcomes] = await Promise.all([
      featuresOf(question, base, this.#router, context),
      askTeachers(teachers.teachers, question, this.#router, context),
    ]);
    if (features instanceof RouterError) return features;
    const scores = outcomes.map((outcome) => (hasAnswered(outcome) ? Float32Array.from(outcome.scores) : undefined));
    const failed = outcomes.find((outcome) => !hasAnswered(outcome));
    if (index === undefined && scores.every((row) => row === undefined)) {
      return failed !== undefined && 'error' in failed
        ? failed.error
        : new RouterError('INVALID_FIELD', 'it has no label, and the student has no teachers');
    }
    return { features, label: index, scores };
  }

  /** Call in the order of the examples, one at a time. Rejects if the student cannot continue. */
  async learn(prepared: Example | RouterError): Promise<void> {
    const number = ++this.#next;
    if (prepared instanceof RouterError) {
      this.#skip(number, prepared.message);
      return;
    }
    const { spec } = this.#student.state;
    if (number - this.#skipped === 1) await this.#begin(prepared.features.length);
    else if (prepared.features.length !== spec!.features) {
      this.#skip(number, `it has ${prepared.features.length} numbers; the student takes ${spec!.features}`);
      return;
    }
    if (await this.#student.learn(prepared)) this.#heldOut += 1;
    else this.#learnt += 1;
    const { commitEvery } = this.#plan;
    if (commitEvery > 0 && this.#student.state.sinceCommit >= commitEvery) await this.#commit();
  }

  /** Ends the session: commits the new state. */
  async finish(): Promise<LearnResult> {
    await this.#commit();
    await this.#student.sync();
    return this.result;
  }

  async #begin(features: number): Promise<void> {
    const { student, base, teachers, rate, heldOutEvery } = this.#plan;
    const { labels } = teachers;
    if (features * labels.length > MAX_WEIGHTS) {
      const message = `${features} features times ${labels.length} labels are more than ${MAX_WEIGHTS} weights; name a base with fewer outputs`;
      throw new RouterError('INVALID_FIELD', message, { field: 'start.base' });
    }
    const names = teachers.teachers.map(({ version }) => keyOf(version));
    await this.#student.begin({ student, base, teachers: names, labels, features, rate, heldOutEvery });
  }

  async #commit(): Promise<void> {
    const commit = await this.#student.commit();
    if (commit !== undefined) this.#commits.push(commit);
  }

  #skip(number: number, why: string): void {
    this.#skipped += 1;
    if (this.#reasons.length < MAX_REASONS) this.#reasons.push(`example ${number}: ${why}`);
  }
}
