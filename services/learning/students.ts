// All students: each has a log in one folder, is opened at its first use, and is taught by one caller at a time.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RouterError } from '../core/errors.ts';
import { LogError } from './learning-log.ts';
import { MAGIC } from './log-record.ts';
import { Student, type StudentParts } from './student.ts';
import { ReplayDiffers } from './student-state.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export class Students {
  readonly #parts: StudentParts;
  readonly #refusal: string;
  readonly #open = new Map<string, Promise<Student>>();
  readonly #busy = new Set<string>();
  /** Resolves when versions can be loaded on engines. */
  readonly #started = Promise.withResolvers<undefined>();

  /** `refusal`: why students cannot be used; empty: they can. */
  constructor(parts: StudentParts, refusal = '') {
    this.#parts = parts;
    this.#refusal = refusal;
  }

  /** Names of the students whose logs have a record. */
  get names(): string[] {
    if (this.#refusal !== '') return [];
    try {
      const { dir } = this.#parts;
      const logs = readdirSync(dir).filter(
        (file) => file.endsWith('.log') && statSync(join(dir, file)).size > MAGIC.length,
      );
      return logs
        .map((file) => file.slice(0, -'.log'.length))
        .filter((name) => NAME.test(name))
        .sort();
    } catch {
      return []; // there are no students yet
    }
  }

  /** Rejects with UNKNOWN_STUDENT, or LOG_UNUSABLE. */
  async find(name: string): Promise<Student> {
    this.#checkUsable();
    if (!this.names.includes(name)) {
      const message = `there is no student "${name.slice(0, 64)}"; there are: ${this.names.join(', ') || 'none'}`;
      throw new RouterError('UNKNOWN_STUDENT', message, { field: 'student' });
    }
    return await this.#opened(name);
  }

  /**
   * Call once, when engines are up; no student is served before. Opens all students, which finishes commits that a
   * crash interrupted. `onProblem` is called for those that cannot be opened.
   */
  async start(onProblem: (name: string, error: unknown) => void): Promise<void> {
    this.#started.resolve(undefined);
    for (const name of this.names) {
      try {
        await this.teach(name, () => Promise.resolve());
      } catch (error) {
        onProblem(name, error);
      }
    }
  }

  /**
   * Runs `work` with exclusive access to the student, or to a new one of that name. Rejects with STUDENT_BUSY if
   * another call has access, INVALID_FIELD or LOG_UNUSABLE.
   */
  async teach<T>(name: string, work: (student: Student) => Promise<T>): Promise<T> {
    this.#checkUsable();
    if (!NAME.test(name)) {
      const message = `student "${name.slice(0, 64)}" is no name: use letters, digits, ".", "_" and "-", at most 64`;
      throw new RouterError('INVALID_FIELD', message, { field: 'start.student' });
    }
    if (this.#busy.has(name)) {
      const message = `student "${name}" is being taught by another call; try again when that has ended`;
      throw new RouterError('STUDENT_BUSY', message, { field: 'start.student' });
    }
    this.#busy.add(name);
    try {
      const student = await this.#opened(name);
      try {
        return await work(student);
      } catch (error) {
        // The state in memory may be ahead of the file, so the next call reads the file again.
        if (!(error instanceof RouterError)) await this.#drop(name, student);
        throw error;
      }
    } finally {
      this.#busy.delete(name);
    }
  }

  async stop(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(open.map(async (student) => (await student).close()));
  }

  #checkUsable(): void {
    if (this.#refusal !== '') throw new RouterError('LOG_UNUSABLE', this.#refusal, { field: 'student' });
  }

  async #opened(name: string): Promise<Student> {
    await this.#started.promise;
    let student = this.#open.get(name);
    if (student === undefined) {
      student = Student.open(name, this.#parts);
      this.#open.set(name, student);
      student.catch(() => this.#open.delete(name));
    }
    try {
      return await student;
    } catch (error) {
      if (!(error instanceof LogError || error instanceof ReplayDiffers)) throw error;
      const message = `the log of student "${name}" ${error.message}`;
      throw new RouterError('LOG_UNUSABLE', message, { field: 'student', cause: error });
    }
  }

  async #drop(name: string, student: Student): Promise<void> {
    this.#open.delete(name);
    await student.close().catch(() => undefined);
  }
}
