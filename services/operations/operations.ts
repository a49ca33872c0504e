// Long-running operations: their state, progress and result. Stored in a file, so that a restart can report interrupted
// ones.
import { randomBytes } from 'node:crypto';
import { RouterError } from '../core/errors.ts';

export type OperationState = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED';

export interface Operation {
  readonly id: string;
  /** Example: "learn". */
  readonly kind: string;
  readonly subject: string;
  readonly state: OperationState;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** 0: it has not ended. */
  readonly endedMs: number;
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
  readonly result: string;
  readonly error: string;
}

/** Stores the operations for a restart. */
export interface OperationStore {
  read(): readonly Operation[];
  /** Called after every start and end; must not throw. */
  write(operations: readonly Operation[]): void;
}

/** The interface for the work itself. Only the first end counts. */
export interface RunningOperation {
  readonly id: string;
  progress(done: number, total?: number): void;
  succeed(result: string): void;
  /** CANCELLED if a caller cancelled it. */
  fail(error: RouterError): void;
}

const MAX_OPERATIONS = 256;

export class Operations {
  /** Oldest first. */
  readonly #all = new Map<string, Operation>();
  readonly #cancels = new Map<string, () => void>();
  readonly #cancelled = new Set<string>();
  readonly #store: OperationStore;
  readonly #interrupted: Operation[] = [];

  constructor(store: OperationStore) {
    this.#store = store;
    for (const operation of store.read()) {
      const wasRunning = operation.state === 'RUNNING';
      const error = 'the router ended before it did';
      this.#all.set(operation.id, wasRunning ? { ...operation, state: 'INTERRUPTED', error } : operation);
      if (wasRunning) this.#interrupted.push(operation);
    }
  }

  /** `cancel` is called at most once, when a caller cancels it; the work must then end by itself. */
  begin(kind: string, subject: string, cancel: () => void): RunningOperation {
    const id = `${kind}-${randomBytes(6).toString('hex')}`;
    const now = Date.now();
    const nothing = { endedMs: 0, done: 0, total: 0, result: '', error: '' };
    this.#all.set(id, { id, kind, subject, state: 'RUNNING', startedMs: now, ...nothing });
    this.#cancels.set(id, cancel);
    this.#forgetOldest();
    this.#save();
    const change = (what: Partial<Operation>): void => {
      const operation = this.#all.get(id);
      if (operation?.state === 'RUNNING') this.#all.set(id, { ...operation, ...what });
    };
    const end = (what: Partial<Operation>): void => {
      if (!this.#cancels.delete(id)) return;
      change({ ...what, endedMs: Date.now() });
      this.#cancelled.delete(id);
      this.#save();
    };
    return {
      id,
      progress: (done, total = 0) => change({ done, total }),
      succeed: (result) => end({ state: 'SUCCEEDED', result }),
      fail: ({ message }) => end({ state: this.#cancelled.has(id) ? 'CANCELLED' : 'FAILED', error: message }),
    };
  }

  /** Newest first. `kind` empty: all. */
  list(kind: string): Operation[] {
    return [...this.#all.values()].filter((each) => kind === '' || each.kind === kind).reverse();
  }

  /** Operations of a kind that the last restart interrupted, oldest first. */
  interrupted(kind: string): Operation[] {
    return this.#interrupted.filter((each) => each.kind === kind);
  }

  /** Throws UNKNOWN_OPERATION. */
  get(id: string): Operation {
    const operation = this.#all.get(id);
    if (operation !== undefined) return operation;
    const message = `there is no operation "${id.slice(0, 64)}"; ListOperations names those that are kept`;
    throw new RouterError('UNKNOWN_OPERATION', message, { field: 'id' });
  }

  /** Throws UNKNOWN_OPERATION. */
  cancel(id: string): Operation {
    const operation = this.get(id);
    const cancel = this.#cancels.get(id);
    if (cancel !== undefined && !this.#cancelled.has(id)) {
      this.#cancelled.add(id);
      cancel();
    }
    return this.#all.get(id) ?? operation;
  }

  #forgetOldest(): void {
    if (this.#all.size <= MAX_OPERATIONS) return;
    const ended = [...this.#all.values()].find(({ state }) => state !== 'RUNNING');
    if (ended !== undefined) this.#all.delete(ended.id);
  }

  #save(): void {
    this.#store.write([...this.#all.values()]);
  }
}
