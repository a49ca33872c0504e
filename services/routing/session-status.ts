/** The state of a session after a message, for its client. */
export interface SessionStatus {
  readonly id: string;
  /** After it. */
  readonly step: number;
  /** Set if it was requested. */
  readonly state: Uint8Array | undefined;
  /** It opened the session. */
  readonly opened: boolean;
}
