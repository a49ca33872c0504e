// The state that results from a student's log. Records are applied one by one, by the router and by `tandem learn
// replay`.
import { Curve } from './curve.ts';
import { type Example, Learner, type StudentSpec } from './learner.ts';
import { restoreState, stateBytes } from './learner-state.ts';
import type { Commit, CommitOutcome, LogRecord } from './log-record.ts';
import { indexOfLargest } from './consensus.ts';

/** Maximum held-out examples; the newest are kept. */
const MAX_HELD_OUT = 2_000;
/** Number of commits whose state is kept for roll-back. */
const MAX_STATES = 8;
/** Examples answered between two turns of the event loop. */
const EXAMPLES_A_TURN = 32;

/** The state after a replay differs from the state in the log. */
export class ReplayDiffers extends Error {}

export interface CommitRecord extends Commit {
  /** Undefined: the commit has not ended yet. */
  outcome: CommitOutcome | undefined;
}

export class StudentState {
  /** Newest last. */
  readonly commits: CommitRecord[] = [];
  readonly curve = new Curve();
  readonly heldOut: Example[] = [];
  /** Examples learnt since the last commit. */
  sinceCommit = 0;
  examples = 0;
  /** The version in use; 0: none. */
  published = 0;
  /** By version, newest last. */
  readonly #states = new Map<number, Uint8Array>();
  #publishedState: Uint8Array | undefined;
  #learner: Learner | undefined;

  get learner(): Learner | undefined {
    return this.#learner;
  }

  get spec(): StudentSpec | undefined {
    return this.#learner?.spec;
  }

  /** Versions to which a roll-back is possible. */
  get versions(): number[] {
    const published = this.commits.filter(({ outcome }) => outcome?.status === 'PUBLISHED');
    return published.map(({ version }) => version).filter((version) => this.#states.has(version));
  }

  /** Throws ReplayDiffers if a commit's state differs from the result of the examples before it. */
  apply(record: LogRecord): void {
    if (record.kind === 'START') {
      this.#learner = new Learner(record.spec);
      return;
    }
    const learner = this.#learner!;
    switch (record.kind) {
      case 'EXAMPLE':
        this.examples += 1;
        if (learner.learn(record.example)) this.sinceCommit += 1;
        this.curve.add(learner);
        return;
      case 'HELD_OUT':
        this.heldOut.push(record.example);
        if (this.heldOut.length > MAX_HELD_OUT) this.heldOut.shift();
        return;
      case 'COMMIT':
        this.#commit(record.commit, record.state, learner);
        return;
      case 'OUTCOME':
        this.#end(record.outcome);
        return;
      case 'ROLL_BACK':
        restoreState(learner, this.#stateOf(record.version));
        this.#publish(record.version);
        this.sinceCommit = 0;
    }
  }

  /** The newest commit, if it has not ended. */
  get unfinished(): CommitRecord | undefined {
    const last = this.commits.at(-1);
    return last?.outcome === undefined ? last : undefined;
  }

  /** The learner at the commit of a version; only for the newest versions. */
  committed(version: number): Learner {
    return learnerOf(this.spec!, this.#stateOf(version));
  }

  /** The version in use; undefined: none. */
  get publishedLearner(): Learner | undefined {
    return this.#publishedState && learnerOf(this.spec!, this.#publishedState);
  }

  #commit(commit: Commit, state: Uint8Array, learner: Learner): void {
    if (!stateBytes(learner).equals(state)) {
      throw new ReplayDiffers(`version ${commit.version}: the examples before it come to another state`);
    }
    this.commits.push({ ...commit, outcome: undefined });
    this.#states.set(commit.version, state);
    const [oldest] = this.#states.keys();
    if (this.#states.size > MAX_STATES) this.#states.delete(oldest!);
    this.sinceCommit = 0;
  }

  #end(outcome: CommitOutcome): void {
    this.commits.at(-1)!.outcome = outcome;
    if (outcome.status === 'PUBLISHED') this.#publish(outcome.version);
  }

  #stateOf(version: number): Uint8Array {
    const state = this.#states.get(version);
    if (state === undefined) throw new ReplayDiffers(`version ${version}: its state is not kept`);
    return state;
  }

  #publish(version: number): void {
    this.published = version;
    this.#publishedState = this.#states.get(version);
  }
}

function learnerOf(spec: StudentSpec, state: Uint8Array): Learner {
  const learner = new Learner(spec);
  restoreState(learner, state);
  return learner;
}

/** Accuracy of the readout on the examples; 0 if there are none. */
export async function accuracyOf({ readout }: Learner, examples: readonly Example[]): Promise<number> {
  let right = 0;
  for (const [index, { features, label }] of examples.entries()) {
    if (indexOfLargest(readout.scores(features)) === label) right += 1;
    if (index % EXAMPLES_A_TURN === EXAMPLES_A_TURN - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return examples.length === 0 ? 0 : right / examples.length;
}
