/** Limits of all sessions. They may change while sessions are open: those that are open stay. */
export interface SessionOptions {
  /** Open at once; 0: none may be opened. */
  readonly max: number;
  /** Of one caller that has a name. */
  readonly maxPerCaller: number;
  /** Memory of all of them. */
  readonly maxBytes: number;
  /** Messages that wait in one session. */
  readonly maxWaiting: number;
  /** Messages that wait in all of them. */
  readonly maxWaitingInAll: number;
  /** A session without a message for so long ends, milliseconds. */
  readonly idleMs: number;
  /** A state of at most so many bytes is kept after each message. */
  readonly snapshotBytes: number;
  /** A larger one after so many steps; the inputs since are kept instead. */
  readonly snapshotSteps: number;
}

/** Which session a message is of, and what it wants. */
export interface SessionRequest {
  /** Empty: it has no name. */
  readonly caller: string;
  readonly id: string;
  /** Opens the session with it; empty: it does not. */
  readonly state: Uint8Array;
  readonly returnState: boolean;
  readonly close: boolean;
  /** Undefined: any. */
  readonly expectedStep: number | undefined;
}

/** Why a session ended. */
export const ENDINGS = ['CLOSED', 'EXPIRED', 'OPERATOR', 'MODEL', 'DISTRUSTED', 'STATE_INVALID'] as const;
export type Ending = (typeof ENDINGS)[number];
