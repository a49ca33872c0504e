// The limits of one call: created once at the edge and passed through to the engine.
import { Cancel, type CancelSignal } from './cancel.ts';
import { RouterError } from './errors.ts';
import type { CallContext } from './inference.ts';
import type { OpenSpan } from './request-trace.ts';

/** Deadline, cancellation and span in one object: it is its own signal. */
export class Call extends Cancel implements CallContext {
  readonly deadlineMs: number;
  /** Set before the call is passed on. */
  span: OpenSpan | undefined;
  readonly owner: object | undefined;

  constructor(deadlineMs: number, span?: OpenSpan, owner?: object) {
    super();
    this.owner = owner;
    this.deadlineMs = deadlineMs;
    this.span = span;
  }

  get signal(): CancelSignal {
    return this;
  }
}

/** Throws the reason if the caller is gone. */
export function throwIfCancelled({ signal }: Pick<CallContext, 'signal'>): void {
  if (signal.aborted) throw RouterError.from(signal.reason);
}

/** Whether the caller is gone or its deadline has passed. */
export function isOver({ signal, deadlineMs }: CallContext): boolean {
  return signal.aborted || performance.now() >= deadlineMs;
}

/** `before`: the event that had not happened yet. Example: "the answer was ready". */
export function deadlinePassed(before: string): RouterError {
  return new RouterError('DEADLINE_EXCEEDED', `the deadline passed before ${before}`);
}
