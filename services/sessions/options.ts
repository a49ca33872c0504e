/** Limits of sessions. They may change at run time; open sessions stay. */
export interface SessionOptions {
  /** Maximum open sessions; 0: none. */
  readonly max: number;
  /** Maximum of one named caller. */
  readonly maxPerCaller: number;
  /** Memory of all of them. */
  readonly maxBytes: number;
  /** Maximum waiting messages of one session. */
  readonly maxWaiting: number;
  /** Maximum waiting messages of all sessions. */
  readonly maxWaitingInAll: number;
  /** A session without a message for this long ends, milliseconds. */
  readonly idleMs: number;
  /** A state up to this size, bytes, is stored after each message. */
  readonly snapshotBytes: number;
  /** A larger state is stored after this many steps; until then the inputs are kept. */
  readonly snapshotSteps: number;
}

/** The session of a message, and its options. */
export interface SessionRequest {
  /** Empty: no name. */
  readonly caller: string;
  readonly id: string;
  /** Opens the session with this state; empty: no state. */
  readonly state: Uint8Array;
  readonly returnState: boolean;
  readonly close: boolean;
  /** Undefined: any. */
  readonly expectedStep: number | undefined;
}

/** Why a session ended. */
export const ENDINGS = ['CLOSED', 'EXPIRED', 'OPERATOR', 'MODEL', 'DISTRUSTED', 'STATE_INVALID'] as const;
export type Ending = (typeof ENDINGS)[number];
