// One student: its log, the resulting state, and its versions. A commit is on disk in the log before any engine gets
// it. A commit interrupted by a crash is finished when the log is opened again.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RouterError } from '../core/errors.ts';
import { xxh64 } from '../engines/xxh64.ts';
import type { Example, StudentSpec } from './learner.ts';
import { stateBytes } from './learner-state.ts';
import { LogWriter } from './learning-log.ts';
import type { Commit, CommitOutcome, LogRecord } from './log-record.ts';
import type { ModelFiles } from './student-nir.ts';
import { type CommitRecord, StudentState, accuracyOf } from './student-state.ts';

/** Records applied between two turns of the event loop. */
const RECORDS_A_TURN = 16;

/** Publishes model versions; implemented by services/publishing. */
export interface Publisher {
  /** Either all engines that are up serve it, or none does. Without `files`, it is already in the repository. */
  load(request: { name: string; version: number; files?: PublishedFiles }): Promise<unknown>;
  unload(name: string, version: number): Promise<unknown>;
}

export interface PublishedFiles {
  readonly nir: Uint8Array;
  readonly manifest: string | undefined;
  readonly labels: string;
  readonly golden: string;
  readonly tokenizer: Uint8Array | undefined;
}

export interface RepositoryVersion {
  readonly version: number;
  /** False: it was unloaded. */
  readonly isServed: boolean;
}

export interface StudentParts {
  readonly dir: string;
  readonly maxLogBytes: number;
  readonly publisher: Publisher;
  /** Versions of that model in the repository. */
  readonly versionsOf: (model: string) => readonly RepositoryVersion[];
  /** "name/version". */
  readonly filesOf: (model: string) => ModelFiles;
  /** Called for every version that is published, refused or rolled back. */
  readonly tell: (severity: 'INFO' | 'WARNING', text: string, data: Readonly<Record<string, string>>) => void;
}

const UNVALIDATED =
  'no labelled example was held out to validate it with; give more of them that differ, or hold more out (--held-out-every 2)';

export class Student {
  readonly name: string;
  readonly state: StudentState;
  readonly #log: LogWriter;
  readonly #parts: StudentParts;

  private constructor(name: string, state: StudentState, log: LogWriter, parts: StudentParts) {
    this.name = name;
    this.state = state;
    this.#log = log;
    this.#parts = parts;
  }

  /** Reads the log, or creates it, and finishes a commit that a crash interrupted. */
  static async open(name: string, parts: StudentParts): Promise<Student> {
    await mkdir(parts.dir, { recursive: true });
    const state = new StudentState();
    let records = 0;
    const log = await LogWriter.open(logPath(parts.dir, name), async (record) => {
      state.apply(record);
      if (++records % RECORDS_A_TURN === 0) await nextTurn();
    });
    const student = new Student(name, state, log, parts);
    const { unfinished } = state;
    if (unfinished !== undefined) await student.#publish(unfinished);
    else if (student.#newerThanPublished().length > 0) await student.#settle();
    return student;
  }

  /**
   * Throws INVALID_FIELD if the student exists with a different spec, or if a model that is not a student has its name.
   */
  async begin(spec: StudentSpec): Promise<void> {
    const known = this.state.spec;
    if (known === undefined) {
      if (this.#parts.versionsOf(this.name).length > 0) {
        throw refused('student', `"${this.name}" is a model of the repository, not a student; choose another name`);
      }
      await this.#record({ kind: 'START', spec });
      await this.#log.sync();
      return;
    }
    for (const key of ['base', 'teachers', 'labels', 'features'] as const) {
      const [has, wanted] = [JSON.stringify(known[key]), JSON.stringify(spec[key])];
      if (has !== wanted)
        throw refused(key, `student "${this.name}" has ${key} ${has}, not ${wanted}; use another name`);
    }
  }

  /** Returns true if it is held out for validation and not learnt. */
  async learn(example: Example): Promise<boolean> {
    if (this.#log.length >= this.#parts.maxLogBytes) {
      const limit = `${this.#parts.maxLogBytes} bytes (setting learning.max_log_bytes)`;
      throw new RouterError(
        'STUDENT_FULL',
        `the log of student "${this.name}" has reached ${limit}; begin another student`,
      );
    }
    const isHeldOut = example.label !== undefined && this.#isHeldOut(example.features);
    await this.#record({ kind: isHeldOut ? 'HELD_OUT' : 'EXAMPLE', example });
    return isHeldOut;
  }

  /** Resolves when all examples are on disk. */
  sync(): Promise<void> {
    return this.#log.sync();
  }

  /** Validates the state since the last commit and publishes it as a new version; undefined: there is nothing new. */
  async commit(): Promise<CommitRecord | undefined> {
    const { state } = this;
    if (state.sinceCommit === 0 || state.learner === undefined) return undefined;
    const { heldOut, publishedLearner } = state;
    const commit: Commit = {
      timeMs: Date.now(),
      version: this.#nextVersion(),
      examples: state.examples,
      heldOut: heldOut.length,
      accuracy: await accuracyOf(state.learner, heldOut),
      accuracyBefore: publishedLearner === undefined ? 0 : await accuracyOf(publishedLearner, heldOut),
    };
    await this.#record({ kind: 'COMMIT', commit, state: stateBytes(state.learner) });
    await this.#log.sync();
    const record = state.commits.at(-1)!;
    await this.#publish(record);
    return record;
  }

  /** Serves that version again, and continues learning from it. Throws UNKNOWN_MODEL. */
  async rollBack(version: number): Promise<void> {
    const { versions, published } = this.state;
    if (!versions.includes(version) || version === published) {
      const others = versions.filter((each) => each !== published).join(', ');
      const message = `student "${this.name}" cannot go back to version ${version}; it can to ${others || 'none'}`;
      throw new RouterError('UNKNOWN_MODEL', message, { field: 'version' });
    }
    await this.#record({ kind: 'ROLL_BACK', version });
    await this.#log.sync();
    await this.#settle();
    this.#parts.tell('INFO', 'a student was rolled back', { model: `${this.name}/${version}` });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async #publish(commit: CommitRecord): Promise<void> {
    const outcome = await this.#outcomeOf(commit);
    await this.#record({ kind: 'OUTCOME', outcome });
    await this.#log.sync();
    const { version, status, why } = outcome;
    const data = { model: `${this.name}/${version}`, accuracy: commit.accuracy.toFixed(4), ...(why && { why }) };
    if (status === 'PUBLISHED') this.#parts.tell('INFO', 'a student has a new version', data);
    else this.#parts.tell('WARNING', 'a student’s version was not published', data);
  }

  async #outcomeOf({ version, heldOut, accuracy, accuracyBefore }: CommitRecord): Promise<CommitOutcome> {
    if (heldOut === 0) return { version, status: 'REJECTED', why: UNVALIDATED };
    if (accuracy < accuracyBefore) {
      const why = `it answers ${percent(accuracy)} of ${heldOut} held-out examples rightly, and the version in use ${percent(accuracyBefore)}`;
      return { version, status: 'REJECTED', why };
    }
    try {
      await this.#load(version);
      return { version, status: 'PUBLISHED', why: '' };
    } catch (error) {
      return { version, status: 'FAILED', why: RouterError.from(error).message };
    }
  }

  async #load(version: number): Promise<void> {
    const { publisher, versionsOf, filesOf } = this.#parts;
    if (versionsOf(this.name).some((each) => each.version === version)) {
      await publisher.load({ name: this.name, version }); // it was written before a crash
      return;
    }
    const { spec } = this.state;
    const base = spec!.base === '' ? undefined : filesOf(spec!.base);
    // HDF5's library takes 40 MB for good, which a router that teaches nobody does not need.
    const { studentFiles } = await import('./student-nir.ts');
    const files = {
      ...studentFiles(this.state.committed(version), base),
      labels: '',
      golden: '',
      tokenizer: base?.tokenizer,
    };
    await publisher.load({ name: this.name, version, files });
  }

  /** Unloads versions newer than the published one. */
  async #settle(): Promise<void> {
    const { published } = this.state;
    await this.#parts.publisher.load({ name: this.name, version: published });
    for (const version of this.#newerThanPublished()) await this.#parts.publisher.unload(this.name, version);
  }

  /** Versions left over from a roll-back, or from a crash during one. */
  #newerThanPublished(): number[] {
    const { published } = this.state;
    if (published === 0) return [];
    const served = this.#parts.versionsOf(this.name).filter(({ isServed }) => isServed);
    return served.map(({ version }) => version).filter((version) => version > published);
  }

  #nextVersion(): number {
    const known = [...this.#parts.versionsOf(this.name), ...this.state.commits];
    return Math.max(0, ...known.map(({ version }) => version)) + 1;
  }

  async #record(record: LogRecord): Promise<void> {
    await this.#log.append(record);
    this.state.apply(record);
  }

  /** Decided by the features alone, so a repeated example is held out again. */
  #isHeldOut({ buffer, byteOffset, byteLength }: Float32Array): boolean {
    return xxh64(new Uint8Array(buffer, byteOffset, byteLength)) % BigInt(this.state.spec!.heldOutEvery) === 0n;
  }
}

export function logPath(dir: string, student: string): string {
  return join(dir, `${student}.log`);
}

function refused(field: string, message: string): RouterError {
  return new RouterError('INVALID_FIELD', message, { field: `start.${field}` });
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
