/** A session after a message of it: what its client is told. */
export interface SessionStatus {
  readonly id: string;
  /** After it. */
  readonly step: number;
  /** Where it was asked for. */
  readonly state: Uint8Array | undefined;
  /** It opened the session. */
  readonly opened: boolean;
}
